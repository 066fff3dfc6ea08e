# METADATA
# title: Only the MCP servers that a list allows the caller
# description: |
#   Each of `lists.allowed_mcp_servers.rules` names the `hosts` whose servers its callers may have Claude call. The name of a
#   server is not looked at: the caller chooses it.
# scope: package
# schemas:
#   - input: schema.request.input
#   - data.lists.allowed_mcp_servers: schema.allowed_mcp_servers.list
package skilltape.rules.request.mcp_server_allowed

import data.skilltape.lib.allowed
import data.skilltape.lib.facts
import data.skilltape.lib.shown

findings contains {"effect": "deny", "message": _message(host)} if {
	some host in shown.few(allowed.refused_hosts(data.lists.allowed_mcp_servers.rules, facts.mcp_server_hosts))
}

_message(host) := "An MCP server is named without a URL that can be judged." if {
	host == ""
} else := $"The MCP server at {shown.name(host)} is not one of those that you may use."
