# METADATA
# title: Only endpoints that are understood pass
# description: |
#   What goes over a path that is not known, or whose bodies are not, cannot be recorded in a readable form or judged.
#   No list opens it.
# scope: package
# schemas:
#   - input: schema.access.input
package skilltape.rules.access.endpoint_known

import data.skilltape.lib.shown

findings contains {"effect": "deny", "message": _message} if {
	not input.request.endpoint_treatment in {"prompt", "content", "settings", "housekeeping", "secrets"}
}

_message := "This method and path are not known as an endpoint of the Claude API." if {
	input.request.endpoint == "unknown"
} else := $"What goes over the endpoint {shown.name(input.request.endpoint)} is not understood by this gateway."
