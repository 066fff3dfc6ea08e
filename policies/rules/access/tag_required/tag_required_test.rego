package skilltape.rules.access.tag_required_test

import data.skilltape.lib.example_test as example
import data.skilltape.rules.access.tag_required

test_success_list_without_entries if count(tag_required.findings) == 0 with input as example.access

test_success_tag_is_there if {
	count(_of({"project": "apollo"}, [{"tag": "project"}, {"tag": "project", "values": ["apollo", "gemini"]}])) == 0
	count(_of({}, [{"when": {"groups": ["other"]}, "tag": "project"}])) == 0
}

test_fail_tag_is_missing_or_has_another_value if {
	every tags in [{}, {"team": "apollo"}, {"project": "gemini"}] {
		_of(tags, [{"when": {"groups": ["staff"]}, "tag": "project", "values": ["mars", "apollo"]}]) == {{
			"effect": "deny",
			"status": 400,
			"message": concat(" ", [
				"The header x-gateway-tags must name the tag \"project\", such as x-gateway-tags: project=value.",
				"It may be: apollo, mars.",
			]),
		}}
	}
	count(_of({}, [{"tag": "project"}])) == 1
}

_of(tags, rules) := findings if {
	document := example.access_with({"request": object.union(example.access.request, {"tags": tags})})
	findings := tag_required.findings with input as document with data.lists.required_tags.rules as rules
}
