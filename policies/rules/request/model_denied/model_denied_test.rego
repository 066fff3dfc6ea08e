package skilltape.rules.request.model_denied_test

import data.skilltape.lib.example_test as example
import data.skilltape.rules.request.model_denied

test_success_other_models if {
	count(model_denied.findings) == 0 with input as example.request
	count(model_denied.findings) == 0 with input as example.request_with({"claude": null})
}

test_fail_model_of_the_shipped_list if {
	model_denied.findings == {{
		"effect": "deny",
		"message": "The model \"claude-mythos-1\" may not be used through this gateway.",
	}} with input as example.request_with({"claude": _mythos})
}

test_fail_exact_name if {
	count(model_denied.findings) == 1 with input as example.request
		with data.lists.deny.models as {"names": ["claude-opus-5-5"], "prefixes": []}
}

test_fail_fallback_or_tool_of_a_denied_model if {
	change := {"models": ["claude-opus-5-5", "claude-mythos-1"]}
	every document in [example.request_with({"claude": change}), example.batch_with(change)] {
		count(model_denied.findings) == 1 with input as document
	}
}

test_fail_third_request_of_a_batch if {
	count(model_denied.findings) == 1 with input as example.batch_with(_mythos)
	count(model_denied.findings) == 0 with input as example.batch_with({})
}

test_fail_definition_of_an_agent if {
	count(model_denied.findings) == 1 with input as example.agent_with({"models": ["claude-opus-5-5", "claude-mythos-1"]})
	count(model_denied.findings) == 0 with input as example.agent_with({})
}

_mythos := {"model": "claude-mythos-1", "models": ["claude-mythos-1"]}
