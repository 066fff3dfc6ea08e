# METADATA
# title: The body was read and understood
# description: |
#   What could not be read in the form that its endpoint takes cannot be judged, and neither can a body that is sent to
#   an endpoint which takes none, or one that does not say what it is.
# scope: package
# schemas:
#   - input: schema.request.input
package skilltape.rules.request.body_parsed

import data.skilltape.lib.shown

findings contains {"effect": "deny", "status": 400, "message": _message} if {
	not input.request.body_form == "none"
	not _understood
}

findings contains {
	"effect": "deny",
	"status": 400,
	"message": "The gateway cannot judge a body sent to this endpoint, so it lets none through.",
} if {
	input.request.body_form == "none"
	not input.body.status == "empty"
}

findings contains {"effect": "deny", "status": 415, "message": "A body needs a content-type."} if {
	input.body.bytes > 0
	input.request.content_type == ""
}

_understood if {
	_read
	input.request.body_form in {"messages", "completion"}
	input.claude.model != ""
}

_understood if {
	_read
	input.request.body_form == "batch"
	count(input.batch.requests) > 0
}

_understood if {
	_read
	input.request.body_form == "upload"
	is_object(input.upload)
}

_understood if {
	_read
	input.request.body_form == "json"
}

# Some take a body and can do without, such as one that archives an agent.
_understood if {
	input.body.status == "empty"
	input.request.body_form == "json"
}

_read if {
	input.body.status == "parsed"
	input.body.fault == ""
}

_message := "The request has no body." if {
	input.body.status == "empty"
} else := $"The request body could not be read{_fault}." if {
	input.body.status == "unread"
} else := $"The request body could not be understood{_fault}."

_fault := $": {sentence}" if {
	sentence := shown.sentence(input.body.fault)
	sentence != ""
} else := ""
