# METADATA
# title: Only the skills that a list allows the caller
# description: |
#   Each of `lists.allowed_skills.rules` names the ids of the `skills` that its callers may use. A grant of a
#   skill lifts this rule for that skill.
# scope: package
# schemas:
#   - input: schema.request.input
#   - data.lists.allowed_skills: schema.allowed_skills.list
package skilltape.rules.request.skill_allowed

import data.skilltape.lib.allowed
import data.skilltape.lib.facts
import data.skilltape.lib.grants
import data.skilltape.lib.shown

findings contains {"effect": "deny", "message": message, "grant": {"kind": "skill", "name": id}} if {
	some id in shown.few(_refused)
	message := $"The skill {shown.name(id)} is not one of those that you may use.{grants.how_to_ask("skill", id)}"
}

# Not one that a grant lifts: those that are not named may be others than were granted.
findings contains {"effect": "deny", "message": "Many skills are named that you may not use."} if shown.are_many(_refused)

_refused := allowed.refused(data.lists.allowed_skills.rules, "skills", [], {skill.id | some skill in facts.skills})
