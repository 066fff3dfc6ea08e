package skilltape.lib.shown_test

import data.skilltape.lib.shown

test_success_plain_names_are_quoted if {
	shown.name("claude-opus-5-5") == "\"claude-opus-5-5\""
	shown.name("mcp__server__tool.v1") == "\"mcp__server__tool.v1\""
}

test_fail_other_names_are_not_repeated if {
	long := concat("", ["a" | some _ in numbers.range(1, 81)])
	every text in ["", "-a", ".a", "two words", "a\u001b[31m", "name\n", "\u202eevil", "ñ", long] {
		shown.name(text) == "of an unusual form"
	}
}

test_success_plain_sentences_are_repeated if {
	shown.sentence("Jwt issuer is not configured") == "Jwt issuer is not configured"
}

test_fail_other_sentences_are_not_repeated if {
	every text in ["", " a", "a\nb", "a\u0000b", "<script>", concat("", ["a" | some _ in numbers.range(1, 201)])] {
		shown.sentence(text) == ""
	}
}

test_success_few_names_are_all_shown if {
	shown.few({"a", "b"}) == {"a", "b"}
	shown.few(set()) == set()
}

test_fail_of_many_names_only_some_are_shown if {
	many := {number | some number in numbers.range(1, 5000)}
	some_of_them := shown.few(many)
	count(some_of_them) == 64
	every name in some_of_them { name in many }
	shown.are_many(many)
	not shown.are_many({"a"})
}
