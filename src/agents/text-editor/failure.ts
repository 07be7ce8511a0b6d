/** A command that failed: its text is what the model reads. */
export class EditorFailure extends Error {
  override readonly name = 'EditorFailure'
}
