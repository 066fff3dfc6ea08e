# METADATA
# title: Tools of MCP servers that a list denies the caller
# description: |
#   Each of `lists.denied_mcp_tools.rules` names `tools` that its callers may not have Claude call, of the servers at `hosts` or
#   of all. Which tools a server has is not said in a request: one that leaves open what it does not name is refused until
#   it switches the denied tools off, or everything that it does not need. A beginning can only be kept out in the second way.
# scope: package
# schemas:
#   - input: schema.request.input
#   - data.lists.denied_mcp_tools: schema.denied_mcp_tools.list
package skilltape.rules.request.mcp_tool_denied

import data.skilltape.lib.allowed
import data.skilltape.lib.facts
import data.skilltape.lib.lists
import data.skilltape.lib.shown
import data.skilltape.lib.when

findings contains {"effect": "deny", "message": message} if {
	some name in shown.few(_on)
	message := $"The tool {shown.name(name)} of an MCP server may not be used through this gateway."
}

findings contains {"effect": "deny", "message": message} if {
	some pattern in shown.few(_left_open)
	message := concat(" ", [
		$"An MCP server may offer tools named \"{pattern}\", which may not be used through this gateway.",
		"Switch them off in the request, or all that are not needed (default_config: enabled false).",
	])
}

_on contains name if {
	some host, patterns in _denied
	some name in lists.fitting(patterns, {name | some toolset in _at(host); some name in toolset.on})
}

_left_open contains pattern if {
	some host, patterns in _denied
	switched_off := [{name | some name in toolset.off} | some toolset in _at(host); toolset.open]
	count(switched_off) > 0
	some pattern in patterns
	not _is_off(pattern, switched_off)
}

# By each server at the host. No switch keeps out all tools that begin so.
_is_off(pattern, switched_off) if {
	not endswith(pattern, "*")
	every names in switched_off { names[pattern] }
}

# By host, each once: many servers can be at the same one.
_denied[host] := patterns if {
	entries := when.met(data.lists.denied_mcp_tools.rules)
	count(entries) > 0
	some host in {toolset.host | some toolset in facts.mcp_toolsets}
	patterns := {pattern | some entry in entries; _is_for(entry, host); some pattern in entry.tools}
}

_at(host) := [toolset | some toolset in facts.mcp_toolsets; toolset.host == host]

_is_for(entry, _) if not entry.hosts

# A host that cannot be read could be any.
_is_for(_, "")

_is_for(entry, host) if count(allowed.refused_hosts([{"hosts": entry.hosts}], {host})) == 0
