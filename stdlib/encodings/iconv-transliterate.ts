// What to write instead of a character that a character set lacks (`//TRANSLIT`): the choices of glibc's C.UTF-8 locale.
// Accents are taken off, letters, signs and dashes get their look-alikes; another script has none, and becomes `?`.

/** The character in front, what stands for it behind. */
const LOOKALIKES = `
¡! ¢c £GBP ¥JPY ¦| ©(C) «<< ¬! ®(R) ±+- ´' µu ·. ¸, »>> ÆAE ÐD ×x ØO ÞTH ßss æae ðd ÷/ øo þth ĐD đd
ĦH ħh ıi ĸq ĿL ŀl ŁL łl ŉ'n ŊN ŋn ŒOE œoe ŦT ŧt ƀb ƁB ƂB ƃb ƇC ƈc ƉD ƊD ƋD ƌd ƐE ƑF ƒf ƓG ƕhv ƖI ƗI
ƘK ƙk ƚl ƝN ƞn ƢOI ƣoi ƤP ƥp ƫt ƬT ƭt ƮT ƲV ƳY ƴy ƵZ ƶz ǢAE ǣae ǤG ǥg ǼAE ǽae ǾO ǿo ȡd ȤZ ȥz ȴl ȵn
ȶt ȷj ȸdb ȹqp ȺA ȻC ȼc ȽL ȾT ȿs ɀz ɃB ɄU ɆE ɇe ɈJ ɉj ɌR ɍr ɎY ɏy ẚa ẜs ẝs ẞSS ỺLL ỻll ỼV ỽv ỾY ỿy ‐-
‑- ‒- –- —-- ―- ‘' ’' ‚, ‛' “" ”" „,, ‟" †+ •o ‵\` ‶\`\` ‷\`\`\` ‹< ›> ⁄/ ⁊& ₠CE ₡C= ₢Cr ₣Fr. ₤L. ₧Pts
₩KRW ₪ILS ₫Dong €EUR ₯GRD ₱PHP ₴UAH ₸KZT ₹INR ₺TL ₽RUB ₾GEL ℞Rx ™(TM) ℮e ←<- →-> ↔<-> ↮!<-> ⇍!<=
⇎!<=> ⇏!=> ⇐<= ⇒=> ⇔<=> −- ∕/ ∖\\ ∗* ∣| ∥|| ∶: ∼~ ≁!~ ≄!~- ≇!~= ≉!~~ ≠!= ≢!== ≤<= ≥>= ≪<< ≫>> ≮!< ≯!>
≰!<= ≱!>= ≴!<~ ≵!>~ ≸!<> ≹!>< ⋘<<< ⋙>>> ─- │| ┌+ ┐+ └+ ┘+ ├+ ┤+ ┬+ ┴+ ┼+ ╱/ ╲\\ ◦o 〈< 〉>
`;

let lookalikes: ReadonlyMap<string, string> | undefined;

function lookalikeOf(character: string): string | undefined {
  lookalikes ??= new Map(
    LOOKALIKES.trim()
      .split(/\s+/)
      .map((pair) => [pair[0]!, pair.slice(1)]),
  );
  // A soft hyphen cannot be seen in a table.
  return character === '\u00ad' ? '-' : lookalikes.get(character);
}

/** What may stand for the character, best first. The empty text means that it may just as well go. */
export function substitutesFor(character: string): readonly string[] {
  const substitutes: string[] = [];
  const lookalike = lookalikeOf(character);
  if (lookalike !== undefined) substitutes.push(lookalike);
  const decomposed = character.normalize('NFKD');
  if (/^[\u2460-\u24ea]$/.test(character)) substitutes.push(`(${decomposed})`);
  // A fraction is set apart, or 1½ would become 11/2.
  else if (/^[\xbc-\xbe\u2150-\u215f\u2189]$/.test(character))
    substitutes.push(` ${decomposed.replace('\u2044', '/')} `);
  const plain = decomposed.replace(/\p{M}/gu, '');
  substitutes.push(plain === '' || /^\p{Cf}$/u.test(character) ? '' : plain, character.normalize('NFKC'));
  substitutes.push('?');
  return substitutes;
}
