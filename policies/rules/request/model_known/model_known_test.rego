package skilltape.rules.request.model_known_test

import data.skilltape.lib.example_test as example
import data.skilltape.rules.request.model_known

test_success_known_families if {
	every model in ["claude-opus-5-5", "claude-sonnet-4-5-20250929", "claude-haiku-5-5", "claude-3-7-sonnet-latest"] {
		count(model_known.findings) == 0 with input as _of_model(model)
	}
}

test_success_exact_name if {
	count(model_known.findings) == 0 with input as _of_model("m-1")
		with data.lists.models as {"names": ["m-1"], "prefixes": []}
}

test_success_denied_model_is_left_to_another_rule if {
	count(model_known.findings) == 0 with input as _of_model("claude-mythos-1")
}

test_success_request_without_a_model if {
	count(model_known.findings) == 0 with input as example.request_with({"claude": null})
}

test_fail_unknown_model if {
	model_known.findings == {{
		"effect": "deny",
		"message": "The model \"gpt-x\" is not one of the models that this gateway lets through.",
	}} with input as _of_model("gpt-x")
}

test_fail_other_spelling if {
	every model in ["", "Claude-opus-5-5", " claude-opus-5-5", "claude", "x-claude-opus-5-5"] {
		count(model_known.findings) == 1 with input as _of_model(model)
	}
}

test_fail_text_in_place_of_a_model_is_not_repeated if {
	some finding in model_known.findings with input as _of_model("my password is hunter2")
	not contains(finding.message, "hunter2")
}

test_fail_third_request_of_a_batch if {
	count(model_known.findings) == 1 with input as example.batch_with({"models": ["claude-opus-5-5", "gpt-x"]})
	count(model_known.findings) == 0 with input as example.batch_with({})
}

test_fail_fallback_or_tool_of_an_unknown_model if {
	every model in ["gpt-x", "default"] {
		change := {"claude": {"models": ["claude-opus-5-5", model]}}
		count(model_known.findings) == 1 with input as example.request_with(change)
	}
}

test_success_fallbacks_of_claude_may_be_let_through if {
	count(model_known.findings) == 0 with input as example.request_with({"claude": {"models": ["m-1", "default"]}})
		with data.lists.models as {"names": ["m-1", "default"], "prefixes": []}
}

test_fail_definition_of_an_agent if {
	count(model_known.findings) == 2 with input as example.agent_with({"models": ["gpt-x", "claude-opus-5-5", ""]})
	count(model_known.findings) == 0 with input as example.agent_with({"models": []})
}

_of_model(model) := example.request_with({"claude": {"model": model, "models": [model]}})
