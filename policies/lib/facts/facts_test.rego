package skilltape.lib.facts_test

import data.skilltape.lib.example_test as example
import data.skilltape.lib.facts

test_success_examples_have_no_faults if {
	count(facts.access_faults) == 0 with input as example.access
	count(facts.request_faults) == 0 with input as example.request
	count(facts.record_faults) == 0 with input as example.record
	count(facts.request_faults) == 0 with input as example.batch_with({})
	count(facts.request_faults) == 0 with input as example.agent_with({})
	count(facts.request_faults) == 0 with input as example.upload_with(["md", ""])
	count(facts.request_faults) == 0 with input as example.request_with({"events": _events})
}

test_success_what_a_body_asks_for_is_found_wherever_it_stands if {
	every document in [
		example.request_with({"claude": _things}), example.batch_with(_things),
		example.agent_with(object.remove(_things, ["model"])),
	] {
		"n" in facts.models with input as document
		facts.tool_names == {"t"} with input as document
		facts.tool_types == {"custom"} with input as document
		facts.mcp_server_names == {"s"} with input as document
		facts.skills == {{"type": "custom", "id": "i", "version": ""}} with input as document
	}
}

test_success_requests_of_a_batch_are_requests if {
	facts.requests == {example.claude} with input as example.request
	count(facts.requests) == 3 with input as example.batch_with({"models": ["m"]})
	count(facts.requests) == 0 with input as example.agent_with({})
	count(facts.models) == 0 with input as example.upload_with(["md"])
}

_things := {
	"model": "m",
	"models": ["m", "n"],
	"tool_names": ["t"],
	"tool_types": ["custom"],
	"mcp_server_names": ["s"],
	"skills": [{"type": "custom", "id": "i", "version": ""}],
}

_events := {"count": 1, "types": ["user.message"], "text_bytes": 3}

test_fail_wrong_types_are_named if {
	every change in [
		["identity", {"identity": {"groups": "staff"}}],
		["identity", {"identity": false}],
		["authentication.failure", {"authentication": {"failure": "other"}}],
		["request.content_length", {"request": {"content_length": "120"}}],
		["request.betas", {"request": {"betas": [1]}}],
		["body.decoded_bytes", {"body": {"decoded_bytes": null}}],
		["body.codings", {"body": {"codings": "gzip"}}],
		["claude", {"claude": {"tool_names": null}}],
		["claude", {"claude": {"models": "claude-opus-5-5"}}],
		["claude", {"claude": {"models": ["another"]}}],
		["claude", {"claude": {"skills": [{"type": "custom", "id": 1, "version": ""}]}}],
		["claude", {"claude": {"stream": "true"}}],
		["request.body_form", {"request": {"body_form": null}}],
		["request.list_filtered", {"request": {"list_filtered": null}}],
		["request.endpoint_treatment", {"request": {"endpoint_treatment": 1}}],
		["batch", {"batch": false}],
		["batch", {"batch": {"size": 1, "requests": {}}}],
		["batch", {"batch": {"size": 1, "requests": [example.claude]}}],
		["batch", {"batch": {"size": 1, "requests": [null]}}],
		["agent", {"agent": object.union(example.agent, {"models": "m"})}],
		["agent", {"agent": object.remove(example.agent, ["skills"])}],
		["events", {"events": object.union(_events, {"types": [1]})}],
		["upload", {"upload": {"parts": []}}],
		["answer", {"answer": {"status": "200"}}],
		["answer", {"answer": null}],
		["verdict.decision", {"verdict": {"decision": "maybe"}}],
	] {
		facts.record_faults == {change[0]} with input as example.record_with(change[1])
	}
}
