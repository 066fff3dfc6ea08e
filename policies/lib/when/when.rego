# METADATA
# title: For which requests an entry of a list counts
# description: |
#   An entry has a `when` with some of these conditions, each a list of texts of which one must fit; all conditions must
#   be met, and without any the entry counts for all.
package skilltape.lib.when

import data.skilltape.lib.facts
import data.skilltape.lib.lists

# METADATA
# description: The conditions that are known from the request.
names := {"connections", "groups", "skills", "endpoints", "tags"}

# METADATA
# description: True when the input meets all conditions.
is_met(when) if {
	every name, wanted in when { _meets(name, wanted) }
}

# METADATA
# description: The entries of a list that count for the request.
met(entries) := [entry | some entry in entries; is_met(object.get(entry, "when", {}))]

# METADATA
# description: True when the value is a `when` with nothing but conditions of these names.
is_sound(value, known) if {
	is_object(value)
	every name, wanted in value {
		name in known
		is_array(wanted)
		every text in wanted { is_string(text) }
	}
}

_meets("connections", wanted) if input.connection.name in wanted

_meets("groups", wanted) if {
	some group in input.identity.groups
	group in wanted
}

_meets("skills", wanted) if {
	some skill in facts.skills
	skill.id in wanted
}

_meets("endpoints", wanted) if lists.covers(wanted, input.request.endpoint)

_meets("tags", wanted) if {
	some name, value in input.request.tags
	$"{name}={value}" in wanted
}
