// What a site owner pastes to have the form on another page, in the site's language. The console and docs/embedding.md show the same.

import { addressOf } from '../../base/addresses.ts'
import type { Config } from '../../base/config.ts'
import { escapeHtml } from '../../base/escape-html.ts'
import { messagesFor } from '../../messages/messages.ts'
import { withLanguage } from '../language.ts'

export type SnippetKind = 'script' | 'frame' | 'html'

export function snippets(config: Config): Record<SnippetKind, string> {
  const say = messagesFor(config, null)
  const to = (path: string) => escapeHtml(addressOf(config, withLanguage(path, say.language)))
  return {
    script: `<script src="${to('/embed.js')}" async></script>`,
    frame: `<iframe
  src="${to('/embed')}"
  title="${escapeHtml(say('embed.title', { site: config.site.name }))}"
  width="100%" height="720" frameborder="0" loading="lazy"></iframe>`,
    html: `<form action="${to('/subscribe')}" method="post" target="_blank">
  <label>${escapeHtml(say('embed.address'))}
    <input type="email" name="email" autocomplete="email" required maxlength="254">
  </label>
  <button>${escapeHtml(say('embed.subscribe'))}</button>
</form>`,
  }
}
