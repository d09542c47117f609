"""The words of the reports of customer behaviour: their names, measures, groupings and cells.

Promise: public words only. Pure.
"""

from __future__ import annotations

from app.figures.speech import Speech


def kinds(speech: Speech) -> dict[str, str]:
    """What the kinds are called."""
    _ = speech.gettext
    return {
        "lifecycle": _("Stages and where customers came from"),
        "cohorts": _("Who buys again within 7 and 30 days"),
        "baskets": _("Baskets near a price threshold"),
        "heat_map": _("Orders by region and hour"),
        "attribution": _("Credit of channels by four rules"),
        "markov": _("What would be lost without a channel"),
        "shapley": _("Fair division of purchases among channels"),
        "channels": _("Channels: steps, sales, cost and return"),
        "experiment": _("Experiment by arm"),
        "before_after": _("Before and after, against a holdout"),
        "feedback": _("What customers talk about"),
        "content": _("What is done with what was shown"),
        "personas": _("Personas: customers who buy alike"),
        "lifetime": _("Who comes back, and what the next year is worth"),
    }


def questions(speech: Speech) -> dict[str, str]:
    """What the kinds answer."""
    _ = speech.gettext
    return {
        "lifecycle": _("How many customers stand at each stage at the close of a month, and at which did they stand a month before?"),
        "cohorts": _("Of people who bought for the first time in a month, how many bought again within 7 and within 30 days?"),
        "baskets": _("How far below a threshold, such as free delivery from 99, were baskets, and how many of them were left?"),
        "heat_map": _("At which hours of the day and in which regions are orders given?"),
        "attribution": _(
            "Which channel gets the credit for a purchase: by the first touch, the last, all alike, or the ends more than the middle?"
        ),
        "markov": _("Which share of the purchases would be lost if a channel were not there?"),
        "shapley": _("How are purchases divided among the channels that came before them together?"),
        "channels": _("How far do people get on each channel, what does it sell and cost, and what comes back of its cost?"),
        "experiment": _("Do the arms of an experiment differ in who buys and in what is spent, and have they the sizes that were planned?"),
        "before_after": _("What did a campaign change, against those it left out on purpose, and does a placebo show nothing?"),
        "feedback": _("Which topics do customers write about, how many people and notes are there of each, and where?"),
        "content": _(
            "How often is something opened, clicked or followed by a visit when it is shown, and which content does better than the others?"
        ),
        "personas": _("Which groups of customers buy alike, how large are they, and what marks them?"),
        "lifetime": _("How many customers are likely to buy again within 90 days, and what are the purchases of the next 52 weeks worth?"),
    }


def measures(speech: Speech) -> dict[str, str]:
    """What is counted."""
    _ = speech.gettext
    return {
        "share": _("share of the row"),
        "left": _("share that goes no further"),
        "baskets": _("baskets"),
        "conversions": _("purchases credited"),
        "steps": _("steps between contacts"),
        "removal": _("share of purchases lost without it"),
        "cost": _("cost"),
        "roi": _("return on cost"),
        "buyers": _("people who bought"),
        "spent": _("amount spent, in caps"),
        "squares": _("squared amount, in caps"),
        "sample_share": _("share of people in the arm"),
        "rate_difference": _("difference in the share that buys"),
        "spent_difference": _("difference in what a person spends"),
        "notes": _("notes"),
        "touches": _("contacts"),
        "interaction": _("actions for each time it was shown"),
        "times_others": _("times the rate of the others"),
        "level": _("level between lowest and highest"),
        "purchases": _("purchases expected in 52 weeks"),
        "worth": _("worth of the purchases of 52 weeks"),
    }


def groupings(speech: Speech) -> dict[str, str]:
    """What numbers are grouped by, and what a question sets."""
    _ = speech.gettext
    return {
        "previous_stage": _("Stage before"),
        "cohort": _("Month of the first purchase"),
        "again": _("Bought again"),
        "distance": _("Distance to the threshold"),
        "outcome": _("What became of it"),
        "threshold": _("Threshold"),
        "rule": _("Rule"),
        "came_from": _("Contact before"),
        "went_to": _("What followed"),
        "channels": _("Channels together"),
        "arm": _("Arm"),
        "experiment": _("Experiment"),
        "cap": _("Most that one person's purchases count for"),
        "split": _("Planned split, arm by arm"),
        "holdout": _("Arm that was left out on purpose"),
        "group": _("Group"),
        "period": _("Period"),
        "comparison": _("Comparison"),
        "topic": _("Topic"),
        "touch": _("What was done"),
        "campaign_id": _("Campaign"),
        "creative": _("Creative"),
        "persona": _("Persona"),
        "trait": _("Trait"),
        **_traits(speech),
        "churn": _("Chance to buy again within 90 days"),
        "value_band": _("Expected worth of 52 weeks"),
        "further": _("Further days with a purchase"),
        "recency": _("Time since the last purchase"),
        "tenure": _("Months since the first purchase"),
    }


def cells(speech: Speech) -> dict[str, dict[str, str]]:
    """What the values of these groupings are called."""
    _ = speech.gettext
    channels = {
        "sms": _("Text message"),
        "email": _("E-mail"),
        "push": _("Push message"),
        "wechat": _("WeChat"),
        "ads": _("Advertising"),
    }
    return {
        "channel": channels,
        "again": {"first": _("first purchase"), "within_7": _("within 7 days"), "within_30": _("within 30 days"), "not_yet": _("not yet")},
        "distance": {
            "over": _("at or over the threshold"),
            "to_10": _("up to a tenth below"),
            "to_20": _("a tenth to a fifth below"),
            "to_30": _("a fifth to three tenths below"),
            "to_50": _("three tenths to half below"),
            "far": _("more than half below"),
        },
        "outcome": {"paid": _("paid for"), "left": _("left")},
        "rule": {"first": _("first touch"), "last": _("last touch"), "linear": _("all alike"), "position": _("ends more than the middle")},
        "came_from": {**channels, "start": _("the start")},
        "went_to": {**channels, "bought": _("a purchase"), "nothing": _("nothing")},
        "step": {
            "impression": _("Was shown it"),
            "open": _("Opened"),
            "click": _("Clicked"),
            "visit": _("Came to the shop"),
            "bought": _("Bought"),
        },
        "arm": {"several": _("in several arms"), "control": _("control")},
        "topic": _topics(speech),
        "touch": {"impression": _("shown"), "open": _("opened"), "click": _("clicked"), "visit": _("visited"), "any": _("anything")},
        "trait": _traits(speech),
        "churn": {
            "gone": _("as good as lost (under a tenth)"),
            "at_risk": _("at risk (a tenth to three tenths)"),
            "open": _("open (three to six tenths)"),
            "likely": _("likely (six tenths and more)"),
        },
        "group": {"holdout": _("left out"), "touched": _("touched")},
        "period": {"before_2": _("two months before"), "before_1": _("the month before"), "after": _("the campaign's month")},
        "comparison": {"effect": _("effect against the holdout"), "placebo": _("placebo"), "naive": _("naive before and after")},
    }


def _traits(speech: Speech) -> dict[str, str]:
    """The traits of personas."""
    _ = speech.gettext
    return {
        "frequency": _("How often they buy"),
        "ticket": _("What they spend at a time"),
        "discount": _("Use of discounts"),
        "sharing": _("Telling others"),
    }


def _topics(speech: Speech) -> dict[str, str]:
    """The closed list of topics."""
    _ = speech.gettext
    return {
        "waiting": _("Waiting"),
        "delivery": _("Delivery"),
        "packaging": _("Packaging"),
        "taste": _("Taste"),
        "service": _("Service"),
        "price": _("Price and offers"),
        "hygiene": _("Cleanliness"),
        "app": _("App and website"),
        "membership": _("Membership"),
        "product": _("Products"),
    }
