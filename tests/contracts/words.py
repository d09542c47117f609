"""What the closed lists of the program mean, in a sentence each: the words of the reference. A test holds the keys equal to the code's."""

from __future__ import annotations

SETTINGS = {
    "limits.disk_free": "`piying doctor` is red below it; nothing is refused yet",
    "limits.item_bytes": "Segment's own limit for one message; over HTTP only",
    "retention.lake_months": "older months do not exist for questions and incoming rows, and their files are dropped (PIPL 19)",
    "retention.snapshot_days": "old snapshots of the lake, and the files that only they name",
    "retention.evidence_months": "what entries of daily work say ends then; consents, rights, erasures, keys, releases and configuration stay",
    "retention.job_days": "finished scheduled jobs and their counts; jobs that somebody asked for stay",
}
"""Reasons in other words, where the code's own say more than it does."""

NOT_IN_FORCE = "**Declared only.** Nothing reads it yet."
"""Stands in place of the reason of a setting that no code reads."""

SETTINGS_FIXED = {
    "retention.dedupe_days": "The window is 30 days, fixed.",
    "retention.quarantine_days": "Seven days, fixed.",
    "retention.waiting_hours": "24 hours, fixed.",
    "retention.verdict_days": "Seven days, fixed.",
}
"""What holds instead, where the code has a constant."""

VERDICTS = {
    "stored": "It is kept, or its act of consent is.",
    "duplicate": "An item with this message id was stored within thirty days.",
    "quarantined": "Its form failed; the payload is sealed and kept for seven days.",
    "refused": "The person or the law says no, or there was nothing to store; the payload is gone.",
}

REASONS = {
    "consent_missing": "Nobody recorded that this person allows the purpose.",
    "consent_withdrawn": "The person withdrew or refused.",
    "consent_not_yet": "The first consent is later than the row.",
    "consent_expired": "The consent's validity had ended.",
    "purpose_unknown": "The row speaks of a purpose that is not registered.",
    "purpose_not_declared": "The source declared no analytic purpose, so nothing of it may enter the lake.",
    "objected": "The person objected.",
    "restricted": "The processing of this person's data is restricted.",
    "erased": "The person was erased.",
    "minor": "The person is under 14.",
    "child_field": "The row carries a field about a child.",
    "forbidden_category": "The row carries a field of a forbidden category: biometric, video, door access.",
    "sensitive_without_consent": "The row carries a sensitive value and its separate consent is missing.",
    "text_low_confidence": "The scrubber does not trust its result: the row is stored without the text, counted in `dropped_fields`.",
    "person_missing": "No identifier of the row names anybody.",
    "nothing_to_store": "The item was well formed and held nothing that the dictionary knows.",
    "no_privacy_agreement": "A mini-program's message does not say when and to which notice its user agreed, or it is older than that.",
    "past_window": "A webhook tells of an act that is older than the days in which a repeat is recognised; history comes as a file.",
}

FORM_RULES = {
    "not_an_object": "The item is not a JSON object.",
    "missing": "A field or a part of the message id is not there.",
    "wrong_type": "The value has another type than the dictionary's.",
    "out_of_range": "The number or the day is outside the field's limits.",
    "too_long": "The text is longer than the field allows.",
    "not_allowed": "The word is not in the closed list, or the mapping does not know it.",
    "bad_pattern": "The text does not fit the field's pattern.",
    "bad_time": "It cannot be read as a time.",
    "zone_missing": "The time tells no zone and neither does the mapping.",
    "time_future": "The time is more than five minutes ahead.",
    "time_too_old": "The time is older than `retention.lake_months`.",
    "bad_identifier": "The identifier is none of its type.",
    "bad_text": "The text is not well-formed Unicode.",
    "duplicate_key": "A JSON object has one key twice.",
    "unknown_type": "The message's type is none of its client's.",
    "too_large": "The message is larger than `limits.item_bytes`.",
    "too_deep": "The message is nested deeper than `limits.json_depth`.",
    "awaiting_consent": "A source with `--on-no-consent wait` sent a row before its consent; sealed for 24 hours, until a replay.",
}

LOG_KINDS = {
    "ingest": "batches, imports, replays",
    "consent": "acts of consent",
    "read": "looks at people, at consent, at the log; every opening of a population",
    "release": "charges, answers, repeats",
    "refusal": "questions and look-ups that were refused",
    "key": "keys made, rotated, destroyed",
    "config": "sources, caps",
    "account": "accounts and tokens",
    "export": "what was handed out as files",
    "rights": "rights requests",
    "erasure": "what was erased",
    "system": "what the schedule did",
}

KEYS = {
    "kek": "wraps the people's data keys and the ephemeral keys",
    "index": "look-up digests of identifiers",
    "tombstone": "look-up digests of erased identifiers",
    "lake": "virtual IDs; a new version serves from the next data month on",
    "consent": "consent handles, numbers of receipts and what receipts call people",
    "log": "log handles and console handles",
    "recipient": "recipients' pseudonyms",
    "run": "the run IDs of stored keys; a question makes a random key of its own",
    "inbox": "domain of message ids and row keys, whose keys are random and destroyed",
    "signing": "signs checkpoints (Ed25519)",
    "receipt": "signs receipts of consent (Ed25519); which version follows from the time of the act",
}

JOBS = {
    "import": "takes an uploaded file in, chunk by chunk; tried again it goes on",
    "undo": "takes an import back",
    "flush": "moves what waits in the inbox into the lake",
    "pull": "reads a slice of every database, stream and watched folder that is due",
    "checkpoint": "signs the log's head and stores the note",
    "evidence": "makes a pack of evidence and seals it",
    "messages": "sends what waits in the outbox, to those whom the vault knows",
    "waiting": "tries messages again that wait for a consent on another path",
    "close": "closes the month that is due, where rows of it came",
    "upkeep": "takes the vault to the newest key versions, joins small files, forgets old snapshots, deletes files that nothing names",
    "retention": "ends quarantined items, verdicts, digests, ephemeral keys, orphans of the vault, months of the lake and finished scheduled jobs",
    "erasure": "takes every erasure that runs through its steps, looks again everywhere, signs the certificates",
    "lapse": "notices whose last analytic purpose ended, and takes their rows out of the lake in time",
    "report": "answers a question that came over HTTP",
    "segment_reach": "buys the size of a segment and whom a channel and a recipient reach",
    "audience": "finds the people of one stored audience",
    "deliver": "carries lists and removals to their recipients, one attempt of each that is due",
    "deliver_look": "looks whether everybody who was given away still allows it, and begins the removal of who does not",
    "audiences": "finds the people of audiences that are due, takes out whoever may not be there any more, ends those that are over",
}

CHECKS = {
    "keys": "the key file opens and belongs to this vault",
    "private files": "home, key file and lake are closed to other users of the machine",
    "vault schema": "the vault has exactly this program's revision",
    "platform schema": "the platform store has exactly this program's revision",
    "stores writable": "both stores begin a writing transaction",
    "database engine": "SQLite is new enough and durable; PostgreSQL is named",
    "access log": "the whole log verifies against its own checkpoints",
    "lake": "every table opens",
    "accounting": "of every source's minute, received = stored + duplicate + quarantined + refused, and the day's tally says the same",
    "inbox": "the oldest batch is younger than `limits.inbox_age`",
    "disk": "more than `limits.disk_free` is free",
    "temporary files": "no spill file is older than an hour",
    "budget": "no month's ledger is over its cap",
    "ledger": "no month's account has gone back behind what was remembered outside the stores",
    "erasures": "no store is older than an erasure that this machine remembers, and no restore is unfinished",
    "pulls": "no pull that may come failed three times in a row",
    "separation": "on PostgreSQL every role has an address of its own",
}

VARIABLES = {
    "PIYING_HOME": "The folder of everything; `./.piying` by default.",
    "PIYING_SOURCE_…_URL": "The address of a pulled source, with its password; see the manual, Pulls.",
    "PIYING_TEST_DATA": "For tests: the folder of public data sets.",
    "PIYING_CAPTURES": "For tests: requests that real clients sent.",
}

CODES = {
    "erasure_incomplete": "something of the person was found again when every store was looked at: the message names the stores",
    "assessment_missing": "an approved impact assessment of the kind that the message names has to cover it first",
    "dossier_invalid": "a field of a paper breaks its form; the message names the rule",
    "source_invalid": "a declaration of a source breaks a rule; the message names it",
    "unknown_role": "the role is not one of the four",
    "mapping_invalid": "a place of the mapping file and what is wrong there",
    "worker_lost": "of a job: five workers died over it",
    "internal": "something failed here that nobody foresaw; nothing was acknowledged",
}
"""Codes whose message is put together where they are raised."""
