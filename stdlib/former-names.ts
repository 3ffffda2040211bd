// Functions of earlier releases of the language's library that are not here, and what scripts use instead. The compiler
// says it with "unknown function"; names that only changed their spelling are not here but beside their successors
// (`olderName`).

const ofTheAppliance = 'It belonged to the appliance that this language came from, and has no successor.';

/** For `Environment.formerNames`: by name, a sentence that says what to do. */
export const formerNames: ReadonlyMap<string, string> = new Map([
  ['file', 'Use File(name) with readline(), or import $lines from "name.txt" with ["array" => true].'],
  ['file_get_contents', 'Use File::read(name).'],
  ['in_file', 'Use import $lines from "name.txt" with ["array" => true] and array_includes(needle, $lines).'],
  ['ldap_search', 'Use the class LDAP: LDAP(uri)->search(base).'],
  ['ldap_bind', 'Use the class LDAP: LDAP(uri)->bind(dn, password).'],
  ['mail', 'Use MIME()->queue(sender, recipient, transportid).'],
  ['deliver', 'Use send() of the message.'],
  ['DKIMSDID', 'Use getHeaders("DKIM-Signature", ["field" => true]) and header_dkim_decode().'],
  ['DKIMVerify', 'Use verifyDKIM() of the message.'],
  ['ScanDMARC', 'Use dmarc() of extras://dmarc.'],
  ['ScanSA', 'Use the module extras://spamassassin.'],
  ['ScanCLAM', 'Use the module extras://clamav.'],
  [
    'ScanRPD',
    'That scanner is not supported; extras://rspamd and extras://spamassassin are modules for others.',
  ],
  ['ScanKAV', 'That scanner is not supported; extras://clamav is a module for another.'],
  ['serial', ofTheAppliance],
  ['stat', `${ofTheAppliance} Counters that operators see are made by metrics_increment().`],
  ['globalview', ofTheAppliance],
]);
