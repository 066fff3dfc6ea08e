package skilltape.rules.request.skill_allowed_test

import data.skilltape.lib.example_test as example
import data.skilltape.rules.request.skill_allowed

test_success_list_without_entries_or_request_without_skills if {
	count(skill_allowed.findings) == 0 with input as _with(["pdf"])
	count(_of([], [{"when": {"groups": ["other"]}, "skills": ["pdf"]}])) == 0
}

test_success_skills_of_an_entry if {
	count(_of(["pdf", "skill_01"], [{"skills": ["skill_*"]}, {"when": {"groups": ["staff"]}, "skills": ["pdf"]}])) == 0
}

test_fail_each_other_skill if {
	_of(["pdf", "xlsx"], [{"skills": ["pdf"]}]) == {{
		"effect": "deny",
		"message": "The skill \"xlsx\" is not one of those that you may use.",
		"grant": {"kind": "skill", "name": "xlsx"},
	}}
	count(_of(["pdf"], [{"when": {"groups": ["other"]}, "skills": ["pdf"]}])) == 1
}

_with(ids) := example.request_with({"claude": {"skills": [{"type": "anthropic", "id": id, "version": ""} | some id in ids]}})

_of(ids, rules) := findings if {
	findings := skill_allowed.findings with input as _with(ids) with data.lists.allowed_skills.rules as rules
}
