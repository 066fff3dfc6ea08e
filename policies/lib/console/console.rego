# METADATA
# title: Faults of what the console is asked with, and of its lists
# description: |
#   The sets name what is missing or of the wrong type. The entrypoint denies then, so that a rule whose field is missing
#   cannot become undefined and let somebody look.
package skilltape.lib.console

import data.skilltape.lib.grants

# METADATA
# description: The limits of a decision; without a usable list nothing is left to show.
limits := {
	"values_per_operator_per_hour": data.lists.console.limits.values_per_operator_per_hour,
	"values_per_person_per_hour": data.lists.console.limits.values_per_person_per_hour,
} if {
	count(list_faults) == 0
} else := {"values_per_operator_per_hour": 0, "values_per_person_per_hour": 0}

# METADATA
# description: The entries of the list that fit this operator, what they want to do and for what, each as a whole.
entries contains entry if {
	some entry in data.lists.console.operators
	_allows_action(entry)
	_names_operator(entry)
	_covers_connection(entry)
	_covers_types(entry)
}

# METADATA
# description: What giving a grant takes, where one is asked for; nothing otherwise.
terms := {
	"quorum": max({offer.quorum | some offer in offers}),
	"open_minutes": min({offer.open_minutes | some offer in offers}),
	"grant_minutes": min({offer.grant_minutes | some offer in offers}),
	"approvers": [offer.approvers | some offer in offers],
} if {
	input.action == "ask"
	count(offers) > 0
} else := {
	"quorum": 1,
	"open_minutes": data.lists.break_glass.open_minutes,
	"grant_minutes": data.lists.break_glass.grant_minutes,
	"approvers": [],
} if {
	input.action == "break_glass"
}

# METADATA
# description: The entries of `lists.access_requests` by which this person can ask for it.
offers := grants.offers("skill", input.grant.skill, _asker) if {
	input.grant.skill != ""
} else := grants.offers("model", input.grant.model, _asker) if {
	input.grant.model != ""
} else := grants.offers("connection", input.grant.connection, _asker)

_asker := {
	"issuer": input.person.issuer,
	"home_issuer": object.get(input.operator, "home_issuer", null),
	"groups": input.person.groups,
}

# METADATA
# description: |
#   The groups of the operator that policy means where it names groups of approvers: those of an account, and those of a
#   person whose token is of the provider at which people log in to the console.
approver_groups := input.operator.groups if {
	input.operator.kind == "os"
} else := input.operator.groups if {
	input.operator.kind == "person"
	input.operator.issuer == input.operator.home_issuer
} else := []

# METADATA
# description: Who the operator is by token, or by what the entries that fit say of an account.
persons := sort(_persons)

_persons contains {"issuer": input.operator.issuer, "subject": input.operator.subject} if {
	input.operator.kind == "person"
}

_persons contains {"issuer": entry.person.issuer, "subject": entry.person.subject} if {
	input.operator.kind == "os"
	some entry in entries
}

_allows_action(entry) if input.action in entry.actions

# Nobody can decide about what they cannot see.
_allows_action(entry) if {
	input.action == "approvals"
	"decide" in entry.actions
}

# An account and a token may bear the same name, and neither stands for the other.
_names_operator(entry) if {
	input.operator.kind == "os"
	input.operator.name in entry.users
}

_names_operator(entry) if {
	input.operator.kind == "os"
	input.operator.uid in entry.uids
}

_names_operator(entry) if {
	input.operator.kind == "os"
	some group in input.operator.groups
	group in entry.groups
}

_names_operator(entry) if {
	input.operator.kind == "person"
	input.operator.issuer == _issuer_of(entry)
	some group in input.operator.groups
	group in entry.token_groups
}

_names_operator(entry) if {
	input.operator.kind == "person"
	entry.person.issuer == input.operator.issuer
	entry.person.subject == input.operator.subject
}

# Another provider may give the same name to other people.
_issuer_of(entry) := entry.issuer

_issuer_of(entry) := input.operator.home_issuer if not entry.issuer

_covers_connection(entry) if not entry.connections

_covers_connection(entry) if input.connection in entry.connections

_covers_types(entry) if not entry.types

_covers_types(entry) if {
	every type in input.types { type in entry.types }
}

input_faults contains name if some name in (_fields - _sound)

_fields := {
	"version", "action", "operator", "person", "connection", "session", "exchange", "retention_class", "types", "values",
	"reason", "last_hour", "time",
}

# What is good is said, and the rest is a fault: a call with a field that is missing is undefined, and so is its `not`.
_sound contains "version" if input.version == 1

_sound contains "action" if is_string(input.action)

_sound contains "operator" if {
	_is_known
	is_string(input.operator.name)
	is_number(input.operator.uid)
	_are_texts(input.operator.groups)
}

_is_known if input.operator.kind == "os"

_is_known if {
	input.operator.kind == "person"
	is_string(input.operator.issuer)
	is_string(input.operator.subject)
	is_string(input.operator.home_issuer)
}

_sound contains "person" if is_null(input.person)

_sound contains "person" if {
	is_string(input.person.issuer)
	is_string(input.person.subject)
	is_string(input.person.email)
	_are_texts(input.person.groups)
}

_sound contains "connection" if is_string(input.connection)

_sound contains "session" if is_string(input.session)

_sound contains "exchange" if is_string(input.exchange)

_sound contains "retention_class" if is_string(input.retention_class)

_sound contains "types" if _are_texts(input.types)

_sound contains "values" if is_number(input.values)

_sound contains "reason" if is_string(input.reason)

_sound contains "last_hour" if {
	is_number(input.last_hour.operator_values)
	is_number(input.last_hour.person_values)
}

_sound contains "time" if is_string(input.time)

list_faults contains "console.operators" if not _operators

list_faults contains "access_requests.rules" if not _offers

list_faults contains "break_glass" if not _break_glass

list_faults contains $"console.operators[{place}]" if {
	some place, entry in data.lists.console.operators
	not _is_entry(entry)
}

list_faults contains $"console.limits.{name}" if {
	some name in ["values_per_operator_per_hour", "values_per_person_per_hour", "reason_min_chars"]
	not _is_limit(name)
}

_operators if is_array(data.lists.console.operators)

_offers if {
	is_array(data.lists.access_requests.rules)
	every offer in data.lists.access_requests.rules { _are_terms(offer) }
}

_break_glass if {
	data.lists.break_glass.open_minutes >= 1
	data.lists.break_glass.grant_minutes >= 1
}

_are_terms(offer) if {
	every name in ["quorum", "open_minutes", "grant_minutes"] {
		is_number(offer[name])
		offer[name] >= 1
	}
	_are_texts(object.get(offer, "approvers", []))
	is_string(object.get(offer, "issuer", ""))
}

_is_limit(name) if {
	is_number(data.lists.console.limits[name])
	data.lists.console.limits[name] >= 0
}

_is_entry(entry) if {
	is_object(entry)
	count({name | some name, _ in entry} - _entry_fields) == 0
	_are_texts(entry.actions)
	every name in _text_fields { _are_texts(object.get(entry, name, [])) }
	every uid in object.get(entry, "uids", []) { is_number(uid) }
	_is_person(object.get(entry, "person", null))
	is_string(object.get(entry, "issuer", ""))
}

_text_fields := {"users", "groups", "token_groups", "connections", "types", "approves"}

_entry_fields := _text_fields | {"actions", "issuer", "person", "uids"}

_is_person(value) if is_null(value)

_is_person(value) if {
	is_string(value.issuer)
	is_string(value.subject)
}

_are_texts(value) if {
	is_array(value)
	every text in value { is_string(text) }
}
