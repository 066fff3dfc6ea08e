package skilltape.rules.request.skill_denied_test

import data.skilltape.lib.example_test as example
import data.skilltape.rules.request.skill_denied

test_success_skills_not_listed if {
	count(skill_denied.findings) == 0 with input as _with_skills
	count(skill_denied.findings) == 0 with input as example.request
		with data.lists.deny.skills as _list(["pdf"], ["custom"])
}

test_fail_listed_id if {
	skill_denied.findings == {{
		"effect": "deny",
		"message": "The skill \"pdf\" may not be used through this gateway.",
	}} with input as _with_skills with data.lists.deny.skills as _list(["pdf"], [])
}

test_fail_listed_type if {
	skill_denied.findings == {{
		"effect": "deny",
		"message": "The skill \"skill_01\" may not be used through this gateway.",
	}} with input as _with_skills with data.lists.deny.skills as _list([], ["custom"])
}

test_fail_batch_or_agent_with_a_listed_skill if {
	skills := {"skills": [{"type": "anthropic", "id": "pdf", "version": "latest"}]}
	every document in [example.batch_with(skills), example.agent_with(skills)] {
		count(skill_denied.findings) == 1 with input as document with data.lists.deny.skills as _list(["pdf"], [])
	}
}

_with_skills := example.request_with({"claude": {"skills": [
	{"type": "anthropic", "id": "pdf", "version": "latest"},
	{"type": "custom", "id": "skill_01", "version": ""},
]}})

_list(ids, types) := {"ids": ids, "types": types}
