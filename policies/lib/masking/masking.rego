# METADATA
# title: From findings to how an exchange is masked
# description: |
#   What is asked for is added up, and where two rules differ the stricter one wins, whatever their order: a type that
#   one rule wants masked is masked, a field that one drops is dropped, and the narrowest scope of a token counts.
package skilltape.lib.masking

import data.skilltape.lib.when

# METADATA
# description: What a value can be, by the names in its token. Own types are those that `lists.detectors` gives.
types := (hashed | low_entropy) | own

# METADATA
# description: Types whose tokens can carry a hash.
hashed := ({"EMAIL", "IBAN", "IP", "MAC", "URL", "WALLET", "NAME", "ADDRESS"} | secrets) | (own & own_hashed)

# METADATA
# description: Types that operators' own detectors give, beside the built-in ones.
own := {detector.type |
	some kind in ["rules", "names"]
	some detector in data.lists.detectors[kind]
}

# METADATA
# description: Own types of which operators say that their values cannot be guessed.
own_hashed := {type | some type in data.lists.detectors.hashed_types}

# METADATA
# description: |
#   Types with so few values that somebody could list them. They never have a hash, so neither scope nor form of their
#   token can be chosen.
low_entropy := {"SSN", "CARD", "PHONE", "BIRTH_DATE", "NATIONAL_ID", "CUSTOMER", "PROJECT"}

# METADATA
# description: Types that are off only where the rule says what comes of it, in the words of `consequence`.
secrets := {"SECRET", "PEM"}

# METADATA
# description: What a rule that leaves secrets readable has to say.
consequence := "secrets stay readable in the index"

# METADATA
# description: The parts of an exchange that can be dropped, or kept with nothing but secrets masked.
fields := {"system", "tools", "messages", "answer", "error"}

# METADATA
# description: Within what the same value has the same token, from the narrowest to the widest.
scopes := ["session", "identity", "connection", "all"]

# METADATA
# description: |
#   The `masking` of a `record` decision for named findings, in a retention class. A part of a finding that names
#   `classes` counts in these alone.
decide(entries, class) := object.union(
	{
		"off": sort(off),
		"on": sort(_all(parts, "on")),
		"plain": sort(plain),
		"scopes": {type: scope |
			some type in ({type | some part in parts; some type, _ in object.get(part, "scopes", {})} - plain)
			scope := _narrowest(parts, type)
		},
		"whole": sort((_all(parts, "whole") - _all(parts, "masked")) - drop),
		"drop": sort(drop),
	},
	object.union(_said(off), _revealing(parts)),
) if {
	parts := {part |
		some entry in entries
		part := entry.finding.masking
		is_sound(entry.finding)
		_counts_in(part, class)
	}
	off := _all(parts, "off") - _all(parts, "on")
	plain := _all(parts, "plain")
	drop := _all(parts, "drop")
}

# METADATA
# description: True when the finding says nothing of masking, or says it in a way that can be read.
is_sound(finding) if object.get(finding, "masking", null) == null

is_sound(finding) if {
	is_object(finding.masking)
	count(part_faults(finding.masking)) == 0
}

# METADATA
# description: Names of what is unknown or wrong in the `masking` of a finding, which must be an object.
part_faults(part) := {name | some name, value in part; not _is_sound(name, value, part)}

# METADATA
# description: Faults of `lists.masking`.
list_faults contains "masking.rules" if not _rules

list_faults contains $"masking.rules[{place}]" if {
	some place, rule in data.lists.masking.rules
	not is_object(rule)
}

list_faults contains $"masking.rules[{place}].{name}" if {
	some place, rule in data.lists.masking.rules
	some name in part_faults(object.remove(rule, {"when"}))
}

list_faults contains $"masking.rules[{place}].classes" if {
	some place, rule in data.lists.masking.rules
	rule.classes
}

list_faults contains $"masking.rules[{place}].when" if {
	some place, rule in data.lists.masking.rules
	not when.is_sound(object.get(rule, "when", {}), when.names | {"classes"})
}

_rules if is_array(data.lists.masking.rules)

_is_sound("off", value, part) if {
	_are_among(value, types)
	_says_consequence(value, part)
}

_is_sound("on", value, _) if _are_among(value, types)

_is_sound("plain", value, _) if _are_among(value, types)

_is_sound("scopes", value, _) if {
	is_object(value)
	every type, scope in value {
		type in hashed
		scope in scopes
	}
}

_is_sound("reveal", value, _) if _are_among(value, hashed)

_is_sound("no_reveal", value, _) if _are_among(value, types)

_is_sound("whole", value, _) if _are_among(value, fields)

_is_sound("masked", value, _) if _are_among(value, fields)

_is_sound("drop", value, _) if _are_among(value, fields)

_is_sound("classes", value, _) if _are_texts(value)

_is_sound("consequence", value, _) if value == consequence

_says_consequence(value, _) if count({type | some type in value} & secrets) == 0

_says_consequence(_, part) if part.consequence == consequence

_are_among(value, known) if {
	is_array(value)
	every item in value { item in known }
}

_are_texts(value) if {
	is_array(value)
	every text in value { is_string(text) }
}

_counts_in(part, class) if class in object.get(part, "classes", [class])

_all(parts, name) := {item | some part in parts; some item in object.get(part, name, [])}

_narrowest(parts, type) := scopes[place] if {
	place := min({place | some part in parts; some place, scope in scopes; scope == part.scopes[type]})
}

# Only where a rule says something of it; `no_reveal` wins.
_revealing(parts) := {name: sort(types) |
	some name, types in {"reveal": _all(parts, "reveal") - _all(parts, "no_reveal"), "no_reveal": _all(parts, "no_reveal")}
	count(types) > 0
}

_said(off) := {"consequence": consequence} if {
	count(off & secrets) > 0
} else := {}
