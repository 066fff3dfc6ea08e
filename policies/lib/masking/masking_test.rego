package skilltape.lib.masking_test

import data.skilltape.lib.masking

nothing := {"off": [], "on": [], "plain": [], "scopes": {}, "whole": [], "drop": []}

test_success_nothing_asked_for if {
	masking.decide(set(), "standard") == nothing
	masking.decide(_entries([{"keep": "full"}, {"retention_class": "standard"}]), "standard") == nothing
}

test_success_what_rules_ask_for_is_added_up if {
	entries := _asking([
		{"off": ["IP"], "drop": ["tools"], "plain": ["EMAIL"]},
		{"off": ["MAC"], "on": ["URL"], "drop": ["answer"], "whole": ["system"]},
	])
	masking.decide(entries, "standard") == object.union(nothing, {
		"off": ["IP", "MAC"],
		"on": ["URL"],
		"plain": ["EMAIL"],
		"whole": ["system"],
		"drop": ["answer", "tools"],
	})
}

test_fail_on_wins_over_off if {
	_decided([{"off": ["IP", "MAC"]}, {"on": ["IP"]}]) == object.union(nothing, {"off": ["MAC"], "on": ["IP"]})
}

test_fail_masked_and_drop_win_over_whole if {
	decided := _decided([{"whole": ["system", "tools", "answer"]}, {"masked": ["tools"]}, {"drop": ["answer"]}])
	decided == object.union(nothing, {"whole": ["system"], "drop": ["answer"]})
}

test_fail_narrowest_scope_wins if {
	scopes := {"EMAIL": "connection", "IP": "all"}
	_decided([{"scopes": scopes}, {"scopes": {"IP": "session"}}, {"scopes": {"EMAIL": "all"}}]).scopes == {
		"EMAIL": "connection",
		"IP": "session",
	}
}

test_fail_plain_wins_over_a_scope if {
	decided := _decided([{"scopes": {"EMAIL": "all", "IP": "all"}}, {"plain": ["EMAIL"]}])
	decided == object.union(nothing, {"plain": ["EMAIL"], "scopes": {"IP": "all"}})
}

test_fail_no_reveal_wins_over_reveal if {
	_decided([{"reveal": ["SECRET", "IP"]}, {"no_reveal": ["IP", "CARD"]}]) == object.union(
		nothing,
		{"reveal": ["SECRET"], "no_reveal": ["CARD", "IP"]},
	)
}

test_fail_types_without_a_hash_cannot_be_revealed if {
	every type in masking.low_entropy { masking.part_faults({"reveal": [type]}) == {"reveal"} }
	masking.part_faults({"no_reveal": ["NICKNAME"]}) == {"no_reveal"}
}

test_success_own_types_are_known_and_linked_where_operators_say_so if {
	detectors := {"rules": [{"type": "TICKET"}], "names": [{"type": "TEAM"}], "hashed_types": ["TICKET", "OTHER"]}
	part := {"off": ["TEAM"], "scopes": {"TICKET": "all"}, "reveal": ["TICKET"], "no_reveal": ["TEAM"]}
	count(masking.part_faults(part)) == 0 with data.lists.detectors as detectors
}

test_fail_own_types_that_no_detector_gives if {
	detectors := {"rules": [{"type": "TICKET"}], "names": [], "hashed_types": ["OTHER"]}
	part := {"off": ["TEAM"], "scopes": {"TICKET": "all"}, "reveal": ["OTHER"]}
	masking.part_faults(part) == {"off", "scopes", "reveal"} with data.lists.detectors as detectors
}

test_success_classes_count_in_these_alone if {
	entries := _asking([{"drop": ["answer"], "classes": ["long"]}, {"drop": ["tools"]}])
	masking.decide(entries, "long").drop == ["answer", "tools"]
	masking.decide(entries, "standard").drop == ["tools"]
}

test_success_secrets_are_off_where_the_consequence_is_said if {
	decided := _decided([{"off": ["SECRET"], "consequence": "secrets stay readable in the index"}])
	decided == object.union(nothing, {"off": ["SECRET"], "consequence": "secrets stay readable in the index"})
}

test_fail_secrets_that_another_rule_wants_masked if {
	_decided([{"off": ["PEM"], "consequence": masking.consequence}, {"on": ["PEM"]}]).off == []
}

test_fail_secrets_without_the_consequence if {
	every type in ["SECRET", "PEM"] {
		masking.part_faults({"off": [type]}) == {"off"}
		masking.part_faults({"off": [type], "consequence": "yes"}) == {"off", "consequence"}
		_decided([{"off": [type]}]) == nothing
	}
}

test_fail_low_entropy_types_have_no_scope if {
	every type in ["SSN", "CARD", "PHONE", "BIRTH_DATE", "NATIONAL_ID"] {
		every scope in masking.scopes { masking.part_faults({"scopes": {type: scope}}) == {"scopes"} }
	}
}

test_fail_what_is_unknown_or_of_another_type if {
	wrong := {
		"off": ["URLS"], "on": "URL", "plain": [1], "scopes": {"EMAIL": "world"}, "whole": ["prompt"],
		"masked": {"system": true}, "drop": ["tool"], "classes": [null], "dropp": ["tools"],
	}
	masking.part_faults(wrong) == object.keys(wrong)
	every name, value in wrong { not masking.is_sound({"masking": {name: value}}) }
	every value in ["x", 1, [], true] { not masking.is_sound({"masking": value}) }
}

test_fail_part_that_cannot_be_read_changes_nothing if {
	_decided([{"off": ["IP"], "dropp": ["tools"]}]) == nothing
}

test_success_lists if {
	count(masking.list_faults) == 0
	rule := {
		"when": {"connections": ["a"], "groups": ["b"], "skills": ["c"], "endpoints": ["d"], "classes": ["e"]},
		"off": ["IP"],
	}
	count(masking.list_faults) == 0 with data.lists.masking.rules as [rule, {}]
}

test_fail_lists_name_all_their_faults if {
	rules := [
		{"off": ["IP"]},
		{"scopes": {"SSN": "all"}, "drop": "tools", "when": {"connection": ["a"]}},
		"x",
		{"when": {"groups": "staff"}, "off": ["SECRET"]},
		{"classes": ["long"]},
	]
	masking.list_faults == {
		"masking.rules[1].scopes", "masking.rules[1].drop", "masking.rules[1].when", "masking.rules[2]",
		"masking.rules[3].when", "masking.rules[3].off", "masking.rules[4].classes",
	} with data.lists.masking.rules as rules
	masking.list_faults == {"masking.rules"} with data.lists.masking as {"rule": []}
}

_entries(findings) := {{"rule": "record/a", "finding": finding} | some finding in findings}

_asking(parts) := _entries([{"masking": part, "message": "m"} | some part in parts])

_decided(parts) := masking.decide(_asking(parts), "standard")
