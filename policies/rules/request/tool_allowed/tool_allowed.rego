# METADATA
# title: Only the tools that a list allows the caller
# description: |
#   Each of `lists.allowed_tools.rules` names the `tools` that its callers may offer to Claude, and the `types` that these
#   may have. An entry without `types` allows `custom` alone, the tools that the caller runs: what Claude runs itself
#   (search, code execution, the tools of an MCP server) is named by its type and may have any name, or none.
# scope: package
# schemas:
#   - input: schema.request.input
#   - data.lists.allowed_tools: schema.allowed_tools.list
package skilltape.rules.request.tool_allowed

import data.skilltape.lib.allowed
import data.skilltape.lib.facts
import data.skilltape.lib.shown

findings contains {"effect": "deny", "message": message} if {
	some name in shown.few(allowed.refused(data.lists.allowed_tools.rules, "tools", [], facts.tool_names))
	message := $"The tool {shown.name(name)} is not one of those that you may use."
}

findings contains {"effect": "deny", "message": message} if {
	some type in shown.few(allowed.refused(data.lists.allowed_tools.rules, "types", ["custom"], facts.tool_types))
	message := $"Tools of the type {shown.name(type)} are not among those that you may use."
}
