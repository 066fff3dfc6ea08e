package skilltape.lib.facts_test

import data.skilltape.lib.example_test as example
import data.skilltape.lib.facts

test_success_examples_have_no_faults if {
	count(facts.access_faults) == 0 with input as example.access
	count(facts.request_faults) == 0 with input as example.request
	count(facts.record_faults) == 0 with input as example.record
}

test_fail_wrong_types_are_named if {
	every change in [
		["identity", {"identity": {"groups": "staff"}}],
		["identity", {"identity": false}],
		["authentication.failure", {"authentication": {"failure": "other"}}],
		["request.content_length", {"request": {"content_length": "120"}}],
		["request.betas", {"request": {"betas": [1]}}],
		["claude", {"claude": {"tool_names": null}}],
		["claude", {"claude": {"skills": [{"type": "custom", "id": 1, "version": ""}]}}],
		["claude", {"claude": {"stream": "true"}}],
		["answer", {"answer": {"status": "200"}}],
		["verdict.decision", {"verdict": {"decision": "maybe"}}],
	] {
		facts.record_faults == {change[0]} with input as example.record_with(change[1])
	}
}
