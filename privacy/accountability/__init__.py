"""What a controller has to show: recipients and agreements, assessments, transfers abroad, incidents, the points of an audit."""
