# METADATA
# title: The body was read and understood
# description: |
#   A messages request that could not be read cannot be judged, and neither can a body sent to another endpoint.
# scope: package
# schemas:
#   - input: schema.request.input
package skilltape.rules.request.body_parsed

import data.skilltape.lib.shown

findings contains {"effect": "deny", "status": 400, "message": _message} if {
	_carries_messages
	not _understood
}

findings contains {
	"effect": "deny",
	"status": 400,
	"message": "The gateway cannot judge a body sent to this endpoint, so it lets none through.",
} if {
	not _carries_messages
	not input.body.status == "empty"
}

_carries_messages if input.request.endpoint_kind in {"messages", "count_tokens"}

_understood if {
	input.body.status == "parsed"
	input.body.fault == ""
	input.claude.model != ""
}

_message := "The request has no body." if {
	input.body.status == "empty"
} else := $"The request body could not be read as JSON{_fault}." if {
	input.body.status == "not_json"
} else := $"The request body could not be understood{_fault}."

_fault := $": {sentence}" if {
	sentence := shown.sentence(input.body.fault)
	sentence != ""
} else := ""
