// `Name: value` lines, as in headers and in the machine-readable parts of a report.

/** The blocks of lines between empty lines, or up to the next recipient's. Names in lower case, folded values as one line. */
export function blocksOf(text: string): Map<string, string[]>[] {
  return text
    .split(/\n[ \t]*\n/)
    .flatMap((block) =>
      (block.match(/^final-recipient:/gim)?.length ?? 0) > 1 ? block.split(/\n(?=final-recipient:)/i) : block,
    )
    .map(fieldsOf)
    .filter((fields) => fields.size > 0)
}

export function fieldsOf(text: string): Map<string, string[]> {
  const fields = new Map<string, string[]>()
  for (const line of text.replace(/\n[ \t]{1,200}/g, ' ').split('\n')) {
    const [, name, value] = /^[> \t]{0,8}([\w-]{1,60})[ \t]{0,8}:(.*)$/.exec(line) ?? []
    if (name) fields.set(name.toLowerCase(), [...(fields.get(name.toLowerCase()) ?? []), value!.trim()])
  }
  return fields
}

/** `rfc822; ada@a.example`: the part after the type. */
export function untyped(value: string | undefined): string {
  return (value ?? '').replace(/^[\w -]{1,30};[ \t]*/, '')
}
