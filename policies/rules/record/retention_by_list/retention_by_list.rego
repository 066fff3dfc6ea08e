# METADATA
# title: A list says for how long exchanges are kept
# description: |
#   Each of `lists.retention.rules` names the retention `class` of its exchanges; of several the longest wins. What none
#   counts for is in `lists.retention.default`.
# scope: package
# schemas:
#   - input: schema.record.input
#   - data.lists.retention: schema.retention_list.list
package skilltape.rules.record.retention_by_list

import data.skilltape.lib.when

findings contains {"retention_class": entry.class, "message": "A list says how long exchanges like this are kept."} if {
	some entry in when.met(data.lists.retention.rules)
}
