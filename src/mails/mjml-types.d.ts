// What we use of MJML 5, which has no types of its own.
declare module 'mjml' {
  interface MjmlResult {
    html: string
    errors: readonly { formattedMessage: string }[]
  }
  export default function mjml2html(
    source: string,
    options: {
      validationLevel: 'strict' | 'soft' | 'skip'
      fonts: Record<string, string>
      ignoreIncludes: boolean
      filePath: string
      keepComments: boolean
    },
  ): Promise<MjmlResult>
}
