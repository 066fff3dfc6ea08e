package skilltape.rules.request.budget_test

import data.skilltape.lib.example_test as example
import data.skilltape.rules.request.budget

test_success_list_without_entries if count(budget.findings) == 0 with input as example.request

test_success_below_the_budget if {
	day := {"requests": 11, "input_tokens": 1001, "output_tokens": 501, "tokens": 1501, "spend": 1.51}
	count(_of(example.request, [{"effect": "deny", "per_day": day, "per_session": day, "per_minute": {"requests": 4}}])) == 0
	count(_of(example.request, [{"when": {"groups": ["other"]}, "effect": "deny", "per_day": {"requests": 1}}])) == 0
}

test_success_what_is_no_prompt_uses_nothing if {
	request := {"endpoint": "models.list", "endpoint_treatment": "housekeeping"}
	document := example.request_with({"request": object.union(example.request.request, request)})
	count(_of(document, [{"effect": "deny", "per_day": {"requests": 0}}])) == 0
}

test_fail_each_budget_that_is_used_up if {
	every period, words in {"per_day": "today", "per_session": "in this session"} {
		every name, said in {
			"requests": "10 requests",
			"input_tokens": "1000 tokens of prompts",
			"output_tokens": "500 tokens of answers",
			"tokens": "1500 tokens",
			"spend": "1.5 money",
		} {
			most := to_number(split(said, " ")[0])
			_of(example.request, [{"effect": "hold", period: {name: most}}]) == {{
				"effect": "hold",
				"message": $"Your budget of {said} is used up {words}.",
			}}
		}
	}
	_of(example.request, [{"effect": "deny", "per_minute": {"requests": 3}}]) == {{
		"effect": "deny",
		"message": "Your budget of 3 requests is used up in this minute.",
	}}
}

test_fail_requests_without_a_price if {
	every totals in [{"priced": false}, {"day": {"unpriced_requests": 1}}] {
		document := example.request_with({"totals": totals})
		count(_of(document, [{"effect": "deny", "per_day": {"spend": 100}}])) == 1
		count(_of(document, [{"effect": "deny", "per_day": {"spend": 100}, "unpriced": "allow"}])) == 0
		count(_of(document, [{"effect": "deny", "per_day": {"tokens": 10000}}])) == 0
	}
}

test_fail_nobody_counted if {
	document := example.request_with({"totals": {"counted": false}})
	count(_of(document, [{"effect": "hold", "per_day": {"requests": 100}}])) == 1
}

_of(document, rules) := findings if {
	findings := budget.findings with input as document with data.lists.budgets.rules as rules
}
