# METADATA
# title: A connection may keep the metadata alone
# description: |
#   `recording: metadata` of a connection in skilltape.yaml. What can be read and searched is then the row of metadata;
#   the sealed record is whole all the same.
# scope: package
# schemas:
#   - input: schema.record.input
package skilltape.rules.record.connection_recording

findings contains {"keep": "metadata", "message": "This connection keeps metadata only."} if {
	input.connection.recording != "full"
}
