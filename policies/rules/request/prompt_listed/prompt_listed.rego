# METADATA
# title: Prompts that speak of what a list names are refused or held
# description: |
#   Each of `lists.prompts.rules` names `phrases`, and the `effect` when the excerpt of what is new in a request has one of
#   them, in capital letters or not, for whom its `when` says. A prompt that is longer than its excerpt has the same effect,
#   unless `incomplete` allows it. No message repeats anything of the prompt.
# scope: package
# schemas:
#   - input: schema.request.input
#   - data.lists.prompts: schema.prompts.list
# custom:
#   excerpt: lists.prompts.rules
package skilltape.rules.request.prompt_listed

import data.skilltape.lib.when

findings contains {"effect": rule.effect, "message": _messages[rule.effect]} if {
	some rule in _rules
	text := lower(input.excerpt.text)
	some phrase in rule.phrases
	contains(text, lower(phrase))
}

findings contains {"effect": rule.effect, "message": message} if {
	some rule in _rules
	not _is_enough(rule)
	message := "The prompt is too long to be looked through for what a list of this gateway names."
}

_messages := {
	"deny": "The prompt speaks of something that may not be sent through this gateway.",
	"hold": "The prompt speaks of something that somebody has to look at first.",
}

_rules contains rule if {
	some rule in data.lists.prompts.rules
	when.is_met(object.get(rule, "when", {}))
}

_is_enough(rule) if rule.incomplete == "allow"

_is_enough(_) if input.excerpt.complete
