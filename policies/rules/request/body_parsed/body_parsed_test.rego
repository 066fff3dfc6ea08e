package skilltape.rules.request.body_parsed_test

import data.skilltape.lib.example_test as example
import data.skilltape.rules.request.body_parsed

test_success_messages_request if {
	count(body_parsed.findings) == 0 with input as example.request
}

test_success_no_body_where_none_is_taken if {
	count(body_parsed.findings) == 0 with input as _to_models("empty")
}

test_success_other_forms if {
	count(body_parsed.findings) == 0 with input as example.batch_with({})
	count(body_parsed.findings) == 0 with input as example.agent_with({})
	count(body_parsed.findings) == 0 with input as example.upload_with(["md"])
	count(body_parsed.findings) == 0 with input as example.request_with({"request": {"body_form": "completion"}})
}

test_success_json_may_be_left_out if {
	change := {"body": {"bytes": 0, "status": "empty"}, "agent": null, "request": {"content_type": ""}}
	count(body_parsed.findings) == 0 with input as object.union(example.agent_with({}), change)
}

test_fail_form_without_its_facts if {
	every form in ["batch", "upload"] {
		count(body_parsed.findings) == 1 with input as example.request_with({"request": {"body_form": form}})
	}
	empty := object.union(example.batch_with({}), {"batch": {"requests": []}})
	count(body_parsed.findings) == 1 with input as empty
}

test_fail_upload_or_batch_without_a_body if {
	every document in [example.upload_with([]), example.batch_with({})] {
		change := {"body": {"bytes": 0, "status": "empty"}, "batch": null, "upload": null}
		count(body_parsed.findings) == 1 with input as object.union(document, change)
	}
}

test_fail_json_that_could_not_be_read if {
	change := {"body": {"status": "unread", "fault": "invalid json"}}
	count(body_parsed.findings) == 1 with input as object.union(example.agent_with({}), change)
}

test_fail_body_without_a_type if {
	body_parsed.findings == {{
		"effect": "deny",
		"status": 415,
		"message": "A body needs a content-type.",
	}} with input as object.union(example.agent_with({}), {"request": {"content_type": ""}})
}

test_fail_form_that_is_not_known if {
	count(body_parsed.findings) == 1 with input as example.request_with({"request": {"body_form": "yaml"}})
}

test_fail_body_where_none_is_taken if {
	count(body_parsed.findings) == 1 with input as _to_models("parsed")
	count(body_parsed.findings) == 1 with input as _to_models("unread")
}

test_fail_unread if {
	_message({"body": {"status": "unread", "fault": "unexpected end"}, "claude": null}) == concat("", [
		"The request body could not be read: unexpected end.",
	])
}

test_fail_fault_of_unusual_form_is_not_repeated if {
	_message({"body": {"fault": "secret\nvalue"}}) == "The request body could not be understood."
}

test_fail_without_body if {
	_message({"body": {"bytes": 0, "status": "empty"}, "claude": null}) == "The request has no body."
}

test_fail_with_fault_beside_facts if {
	_message({"body": {"fault": "duplicate key"}}) == "The request body could not be understood: duplicate key."
}

test_fail_without_facts_or_model if {
	_message({"claude": null})
	_message({"claude": {"model": ""}})
}

_message(change) := message if {
	some finding in body_parsed.findings with input as example.request_with(change)
	finding.effect == "deny"
	finding.status == 400
	message := finding.message
}

_to_models(status) := example.request_with({
	"request": {"method": "GET", "endpoint_kind": "models", "body_form": "none"},
	"body": {"status": status},
	"claude": null,
})
