# METADATA
# title: Skills on the deny list are refused
# description: |
#   `lists.deny.skills` holds `ids`, and `types` (`anthropic` or `custom`) to refuse every skill of a type.
# scope: package
# schemas:
#   - input: schema.request.input
package skilltape.rules.request.skill_denied

import data.skilltape.lib.facts
import data.skilltape.lib.shown

findings contains {"effect": "deny", "message": message} if {
	some id in shown.few(_denied)
	message := $"The skill {shown.name(id)} may not be used through this gateway."
}

_denied contains id if {
	ids := {skill.id | some skill in facts.skills}
	some id in data.lists.deny.skills.ids
	ids[id]
}

_denied contains skill.id if {
	some skill in facts.skills
	skill.type in data.lists.deny.skills.types
}
