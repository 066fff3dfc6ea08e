# METADATA
# title: Lists say how which exchanges are masked
# description: |
#   Each of `lists.masking.rules` counts for the exchanges that meet all of its `when`: `connections`, `groups` of the
#   caller, ids of `skills` in the request, `endpoints` by name or family, and retention `classes`. Without `when` it
#   counts for all.
# scope: package
# schemas:
#   - input: schema.record.input
#   - data.lists.masking: schema.masking.list
package skilltape.rules.record.masking_by_list

import data.skilltape.lib.facts
import data.skilltape.lib.lists

findings contains {"masking": part, "message": "A list says how exchanges like this are masked."} if {
	some rule in data.lists.masking.rules
	when := object.get(rule, "when", {})
	every name, wanted in when { _meets(name, wanted) }
	part := object.union(object.remove(rule, {"when"}), object.filter(when, {"classes"}))
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

# The class is known when all findings are; the decision looks at it then.
_meets("classes", _)
