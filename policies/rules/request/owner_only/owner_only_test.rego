package skilltape.rules.request.owner_only_test

import data.skilltape.lib.example_test as example
import data.skilltape.rules.request.owner_only

_kinds := [
	"file", "batch", "skill", "container", "session", "message", "compared_message", "agent", "environment", "deployment",
	"memory_store", "dream", "user_profile", "vault",
]

test_success_nothing_named_or_all_of_it_mine if {
	count(owner_only.findings) == 0 with input as example.request
	count(owner_only.findings) == 0 with input as _naming([_thing(kind, "mine") | some kind in _kinds])
}

test_fail_each_kind_of_others if {
	every kind in _kinds {
		count(owner_only.findings) == 1 with input as _naming([_thing(kind, "mine"), _thing(kind, "others")])
	}
}

test_fail_each_kind_of_nobody_known_but_two if {
	every kind in [kind | some kind in _kinds; not kind in {"skill", "compared_message"}] {
		count(owner_only.findings) == 1 with input as _naming([_thing(kind, "unknown")])
	}
}

test_success_skill_of_nobody_known_where_it_is_used if {
	every endpoint in ["messages.create", "messages.count_tokens", "batches.create", "agents.create", "sessions.create"] {
		count(owner_only.findings) == 0 with input as _to(endpoint, _thing("skill", "unknown"))
	}
}

test_success_message_of_nobody_known_to_compare_with if {
	every endpoint in ["messages.create", "messages.count_tokens", "batches.create"] {
		count(owner_only.findings) == 0 with input as _to(endpoint, _thing("compared_message", "unknown"))
	}
}

test_fail_skill_of_nobody_known_where_it_is_shown_or_changed if {
	every endpoint in ["skills.get", "skills.delete", "skills.versions.create", "skills.versions.download"] {
		count(owner_only.findings) == 1 with input as _to(endpoint, _thing("skill", "unknown"))
	}
}

test_success_what_an_entry_opens if {
	rules := [{"when": {"groups": ["staff"]}, "kinds": ["file", "batch"], "owners": ["unknown", "others"]}]
	every thing in [_thing("file", "unknown"), _thing("file", "others"), _thing("batch", "others")] {
		count(owner_only.findings) == 0 with input as _naming([thing]) with data.lists.ownership.open as rules
	}
}

test_fail_what_no_entry_opens if {
	every entry in [
		{"when": {"groups": ["other"]}, "kinds": ["file"], "owners": ["others"]},
		{"kinds": ["batch"], "owners": ["others"]},
		{"kinds": ["file"], "owners": ["unknown"]},
	] {
		count(owner_only.findings) == 1 with input as _naming([_thing("file", "others")])
			with data.lists.ownership.open as [entry]
	}
}

test_fail_two_entries_do_not_add_up if {
	rules := [{"kinds": ["batch"], "owners": ["others"]}, {"kinds": ["file"], "owners": ["unknown"]}]
	count(owner_only.findings) == 1 with input as _naming([_thing("file", "others")]) with data.lists.ownership.open as rules
}

test_fail_says_the_same_of_others_and_of_nobody_known if {
	said := {{
		"effect": "deny",
		"message": concat(" ", [
			"This request names a message of a thread that you were not given through this gateway.",
			"Ask its operators if you should be able to use it.",
		]),
	}}
	every owner in ["others", "unknown"] {
		owner_only.findings == said with input as _naming([_thing("message", owner)])
	}
}

test_fail_says_what_it_is_in_words if {
	every kind, words in {
		"file": "a file", "agent": "an agent", "environment": "an environment", "memory_store": "a memory store",
		"message": "a message of a thread", "compared_message": "a message to compare with",
	} {
		some finding in owner_only.findings with input as _naming([_thing(kind, "others")])
		startswith(finding.message, $"This request names {words} that you were not given")
	}
}

_thing(kind, owner) := {"kind": kind, "owner": owner, "count": 1}

_naming(things) := example.request_with({"owners": things})

_to(endpoint, thing) := object.union(_naming([thing]), {"request": {"endpoint": endpoint}})
