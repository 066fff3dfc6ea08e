package skilltape.rules.request.prompt_listed_test

import data.skilltape.lib.example_test as example
import data.skilltape.rules.request.prompt_listed

test_success_list_without_entries if {
	count(prompt_listed.findings) == 0 with input as example.request
}

test_success_other_prompts_and_other_callers if {
	count(_of(_says("Hello."), [_rule("deny", ["project apollo"])])) == 0
	elsewhere := object.union(_rule("deny", ["hello"]), {"when": {"groups": ["guests"]}})
	count(_of(_says("Hello."), [elsewhere])) == 0
}

test_fail_a_phrase_of_the_list_in_any_letters if {
	_of(_says("About PROJECT Apollo: when?"), [_rule("deny", ["other", "Project apollo"])]) == {{
		"effect": "deny",
		"message": "The prompt speaks of something that may not be sent through this gateway.",
	}}
	_of(_says("About project apollo: when?"), [_rule("hold", ["project apollo"])]) == {{
		"effect": "hold",
		"message": "The prompt speaks of something that somebody has to look at first.",
	}}
}

test_fail_a_prompt_that_was_not_looked_through_whole if {
	long := example.request_with({"excerpt": {"text": "Hello.", "complete": false}})
	count(_of(long, [_rule("hold", ["project apollo"])])) == 1
	count(_of(long, [object.union(_rule("hold", ["project apollo"]), {"incomplete": "allow"})])) == 0
}

_says(text) := example.request_with({"excerpt": {"text": text, "complete": true}})

_rule(effect, phrases) := {"effect": effect, "phrases": phrases}

_of(document, rules) := findings if {
	findings := prompt_listed.findings with input as document with data.lists.prompts.rules as rules
}
