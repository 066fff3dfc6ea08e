# METADATA
# title: Only the skills that a list allows the caller
# description: |
#   Each of `lists.allowed_skills.rules` names the ids of the `skills` that its callers may use.
# scope: package
# schemas:
#   - input: schema.request.input
#   - data.lists.allowed_skills: schema.allowed_skills.list
package skilltape.rules.request.skill_allowed

import data.skilltape.lib.allowed
import data.skilltape.lib.facts
import data.skilltape.lib.shown

findings contains {"effect": "deny", "message": message} if {
	ids := {skill.id | some skill in facts.skills}
	some id in shown.few(allowed.refused(data.lists.allowed_skills.rules, "skills", [], ids))
	message := $"The skill {shown.name(id)} is not one of those that you may use."
}
