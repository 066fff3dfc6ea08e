package skilltape.rules.request.model_allowed_test

import data.skilltape.lib.example_test as example
import data.skilltape.rules.request.model_allowed

test_success_list_without_entries if count(model_allowed.findings) == 0 with input as example.request

test_success_models_of_any_entry_for_the_caller if {
	rules := [_group("other", ["claude-haiku-*"]), _group("staff", ["claude-sonnet-4-5"]), {"models": ["claude-opus-*"]}]
	count(_of(example.request, rules)) == 0
	count(_of(example.request, [{"models": ["*"]}])) == 0
}

test_fail_model_of_no_entry_for_the_caller if {
	rules := [_group("other", ["claude-opus-*"]), _group("staff", ["claude-haiku-*", "claude-opus-5"])]
	_of(example.request, rules) == {{
		"effect": "deny",
		"message": "The model \"claude-opus-5-5\" is not one of those that you may use.",
		"grant": {"kind": "model", "name": "claude-opus-5-5"},
	}}
}

test_fail_caller_whom_no_entry_is_for if count(_of(example.request, [_group("other", ["*"])])) == 1

test_fail_fallback_batch_and_agent if {
	change := {"models": ["claude-opus-5-5", "claude-haiku-1"]}
	every document in [example.request_with({"claude": change}), example.batch_with(change), example.agent_with(change)] {
		count(_of(document, [{"models": ["claude-opus-*"]}])) == 1
	}
}

test_fail_more_models_than_are_named_have_a_finding_that_no_grant_lifts if {
	models := [$"model-{number}" | some number in numbers.range(1, 65)]
	findings := _of(example.request_with({"claude": {"models": models}}), [{"models": ["claude-*"]}])
	count({finding | some finding in findings; not finding.grant}) == 1
}

_group(name, models) := {"when": {"groups": [name]}, "models": models}

_of(document, rules) := findings if {
	findings := model_allowed.findings with input as document with data.lists.allowed_models.rules as rules
}
