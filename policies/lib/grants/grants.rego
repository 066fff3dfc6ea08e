# METADATA
# title: Which findings a grant lifts
# description: |
#   `input.grants` are what people allowed the caller on this connection for a time. A grant of the kind `access` lifts a
#   finding that says itself that access to a thing can be asked for: its `grant` has the `kind` of thing (`connection`,
#   `skill` or `model`) and, but for a connection, its `name`. A grant of the kind `break_glass` lifts the rules that
#   `lists.break_glass.lifts` names. What stands for a fault is never lifted, nor is the deny list.
package skilltape.lib.grants

import data.skilltape.lib.lists
import data.skilltape.lib.observe
import data.skilltape.lib.shown

# METADATA
# description: Rules that no grant lifts. Who was put on the deny list is out until somebody takes them off it.
never_lifted := observe.always_enforced | {"access/deny_list"}

# METADATA
# description: True for an entry with the name of its rule that does not count because of a grant.
is_lifted(entry) if {
	observe.may_be_left(entry)
	not entry.rule in never_lifted
	not observe.is_observed(entry)
	count(lifting(entry)) > 0
}

# METADATA
# description: The ids of the grants that lift an entry.
lifting(entry) := {grant.id | some grant in input.grants; _lifts(grant, entry)}

_lifts(grant, entry) if {
	grant.kind == "access"
	_is_of(grant, entry.finding.grant)
}

_lifts(grant, entry) if {
	grant.kind == "break_glass"
	entry.rule in data.lists.break_glass.lifts
}

_is_of(grant, thing) if {
	thing.kind == "connection"
	grant.skill == ""
	grant.model == ""
}

_is_of(grant, thing) if {
	thing.kind == "skill"
	thing.name == grant.skill
	grant.skill != ""
}

_is_of(grant, thing) if {
	thing.kind == "model"
	thing.name == grant.model
	grant.model != ""
}

# METADATA
# description: |
#   A sentence with a blank before it that says how to ask for access to a thing, or nothing where `lists.access_requests`
#   does not let the caller ask.
how_to_ask(kind, name) := concat("", [
	$" You can ask for access for a time: skilltape request-access --{kind} {shown.name(name)}",
	" --for 2h --reason \"why you need it\"",
]) if {
	startswith(shown.name(name), "\"")
	count(offers(kind, name, _caller)) > 0
} else := ""

# Whose groups an entry without an issuer means, the console knows: here nobody is told less than they can ask for.
_caller := {
	"issuer": input.identity.issuer,
	"home_issuer": input.identity.issuer,
	"groups": input.identity.groups,
}

# METADATA
# description: |
#   The entries of `lists.access_requests` by which a person can ask for a thing: their `groups` count where their `issuer` is
#   that of the entry, or, where it has none, `home_issuer`. Another provider may give the same name to other people.
offers(kind, name, person) := {entry |
	some entry in data.lists.access_requests.rules
	patterns := {pattern | some pattern in object.get(entry, $"{kind}s", [])}
	lists.fitting(patterns, {name}) == {name}
	_is_of_issuer(entry, person)
	_is_of_group(entry, person)
}

_is_of_issuer(entry, person) if entry.issuer == person.issuer

_is_of_issuer(entry, person) if {
	not entry.issuer
	person.home_issuer == person.issuer
}

_is_of_issuer(entry, _) if {
	not entry.issuer
	not entry.groups
}

_is_of_group(entry, _) if not entry.groups

_is_of_group(entry, person) if {
	some group in person.groups
	group in entry.groups
}
