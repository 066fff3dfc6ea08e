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
	some skill in facts.skills
	_denied(skill)
	message := $"The skill {shown.name(skill.id)} may not be used through this gateway."
}

_denied(skill) if skill.id in data.lists.deny.skills.ids

_denied(skill) if skill.type in data.lists.deny.skills.types
