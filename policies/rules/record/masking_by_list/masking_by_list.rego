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

import data.skilltape.lib.when

findings contains {"masking": part, "message": "A list says how exchanges like this are masked."} if {
	some rule in data.lists.masking.rules
	conditions := object.get(rule, "when", {})

	# The class is known when all findings are; the decision looks at it then.
	when.is_met(object.remove(conditions, {"classes"}))
	part := object.union(object.remove(rule, {"when"}), object.filter(conditions, {"classes"}))
}
