# METADATA
# title: Tools on the deny list are refused
# description: |
#   `lists.deny.tools` holds the `names` that the request gives its tools, and `type_prefixes` of the tools that Claude
#   runs itself (their types end in a date).
# scope: package
# schemas:
#   - input: schema.request.input
package skilltape.rules.request.tool_denied

import data.skilltape.lib.facts
import data.skilltape.lib.lists
import data.skilltape.lib.shown

findings contains {"effect": "deny", "message": message} if {
	some name in shown.few({name | some name in data.lists.deny.tools.names; facts.tool_names[name]})
	message := $"The tool {shown.name(name)} may not be used through this gateway."
}

findings contains {"effect": "deny", "message": message} if {
	some type in shown.few(lists.beginning(facts.tool_types, data.lists.deny.tools.type_prefixes))
	message := $"Tools of the type {shown.name(type)} may not be used through this gateway."
}
