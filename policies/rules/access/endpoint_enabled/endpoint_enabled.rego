# METADATA
# title: Only enabled endpoints pass
# description: |
#   The kinds of `lists.endpoints.enabled` pass. Everything else is refused, and so are paths that are not known: what
#   cannot be read cannot be recorded or judged.
# scope: package
# schemas:
#   - input: schema.access.input
package skilltape.rules.access.endpoint_enabled

import data.skilltape.lib.shown

findings contains {"effect": "deny", "message": _message} if not input.request.endpoint_kind in _enabled_kinds

_enabled_kinds := object.keys(data.lists.endpoints.enabled)

_message := "This method and path are not known as an endpoint of the Claude API." if {
	input.request.endpoint_kind == "unknown"
} else := concat(" ", [
	$"The endpoint {shown.name(input.request.endpoint)} is not enabled at this gateway.",
	$"Enabled are: {concat(", ", sort(_enabled_kinds))}.",
])
