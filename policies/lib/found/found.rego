# METADATA
# title: Faults of the list of what may not be sent
# description: A misspelt type, place or effect would find nothing.
package skilltape.lib.found

import data.skilltape.lib.masking
import data.skilltape.lib.when

# METADATA
# description: Where something is found in a request.
places := {"system", "tools", "messages", "tool_result", "file", "other"}

# METADATA
# description: Faults of `lists.findings`.
list_faults contains "findings.rules" if not _rules

list_faults contains $"findings.rules[{place}]" if {
	some place, rule in data.lists.findings.rules
	not is_object(rule)
}

list_faults contains $"findings.rules[{place}].{name}" if {
	some place, rule in data.lists.findings.rules
	some name, value in rule
	not _is_sound(name, value)
}

list_faults contains $"findings.rules[{place}].{name}" if {
	some place, rule in data.lists.findings.rules
	some name in ["effect", "types"]
	object.get(rule, name, null) == null
}

_rules if is_array(data.lists.findings.rules)

_is_sound("when", value) if when.is_sound(value, when.names)

_is_sound("effect", value) if value in {"deny", "hold"}

_is_sound("types", value) if _are_among(value, masking.types)

_is_sound("places", value) if _are_among(value, places)

_is_sound("min_count", value) if {
	is_number(value)
	value >= 1
}

_is_sound("incomplete", value) if value == "allow"

_are_among(value, known) if {
	is_array(value)
	every item in value { item in known }
}
