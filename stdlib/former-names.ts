// Functions of earlier releases of the language's library that are not here, and what scripts use instead; and some that are to
// come. The compiler says it with "unknown function"; names that only changed their spelling are not here but beside their
// successors (`olderName`).

const notYetSuspends =
  'Suspending a part of the queue at run time is not supported yet; Queue(["hold" => true]) keeps one message back.';
const notYetPolicies =
  'Policies that scripts make are not supported yet; those of the configuration are in smtpd-policy.yaml.';
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
  ['SetDestination', 'Use the options "host" and "port" of Try().'],
  ['SetProtocol', 'Use the option "protocol" of Try().'],
  ['SetTLS', 'Use the option "tls" of Try(), and those that begin with "tls_".'],
  ['SetSASL', 'Use the options "saslusername" and "saslpassword" of Try().'],
  ['SetXCLIENT', 'Use the option "xclient" of Try().'],
  ['SetHELO', 'Use the option "helo" of Try(); for what a client said, "host" of Accept().'],
  ['SetSourceIP', 'Use the option "sourceip" of Try().'],
  ['SetSender', 'Use the option "sender" of Try() or Accept().'],
  ['SetSenderParams', 'Use the option "sender" of Try(), an array with "params".'],
  ['SetRecipient', 'Use the option "recipient" of Try() or Accept().'],
  ['SetRecipientParams', 'Use the option "recipient" of Try(), an array with "params".'],
  ['SetSenderIP', 'Use the option "remoteip" of Accept() in the connect hook.'],
  ['GetExtensions', 'They are in $arguments["extensions"] of the helo hook.'],
  ['SetExtensions', 'Use the option "extensions" of Accept() in the helo hook.'],
  [
    'CurrentConnections',
    'No script has to count them: "concurrency" of a policy in smtpd-policy.yaml limits the deliveries under way at once.',
  ],
  ['GetMailQueueMetric', 'Use queue_quota(name), which counts what was queued with that name in "quotas".'],
  ['PickupSuspend', notYetSuspends],
  ['queue_suspend', notYetSuspends],
  ['PickupPolicy', notYetPolicies],
  ['queue_policy', notYetPolicies],
  ['queue_policy_delete', notYetPolicies],
  ['GetMailFile', 'Use File($message["file"]["modified"]), or ["original"].'],
  ['serial', ofTheAppliance],
  ['stat', `${ofTheAppliance} Counters that operators see are made by metrics_increment().`],
  ['globalview', ofTheAppliance],
]);
