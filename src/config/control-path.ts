/** The control socket where nothing is said about it: for the daemon, and for the commands that look for it. */
export const defaultControlPath = '/run/argonite/smtpd.ctl';
