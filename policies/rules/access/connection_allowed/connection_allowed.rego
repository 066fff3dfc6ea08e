# METADATA
# title: Only the connections that a list allows the caller
# description: |
#   Each of `lists.allowed_connections.rules` names the `connections` that its callers may use. A grant of the connection
#   lifts this rule.
# scope: package
# schemas:
#   - input: schema.access.input
#   - data.lists.allowed_connections: schema.allowed_connections.list
package skilltape.rules.access.connection_allowed

import data.skilltape.lib.allowed
import data.skilltape.lib.grants
import data.skilltape.lib.shown

findings contains {"effect": "deny", "message": message, "grant": {"kind": "connection"}} if {
	some name in allowed.refused(data.lists.allowed_connections.rules, "connections", [], {input.connection.name})
	message := $"You may not use the connection {shown.name(name)}.{grants.how_to_ask("connection", name)}"
}
