package io.millrace.handler.email;

import java.util.List;
import java.util.stream.Stream;

/**
 * A mail that was checked and can be sent.
 *
 * @param replyTo null for none
 * @param text null if there is HTML alone
 * @param html null if there is text alone
 * @param effectKey null for the id of the job
 */
record Letter(MailAddress from, MailAddress replyTo, List<MailAddress> to, List<MailAddress> cc, List<MailAddress> bcc,
        String subject, String text, String html, String effectKey) {

    /** @return whom it is handed over for, each once */
    List<String> recipients() {
        return Stream.of(to, cc, bcc).flatMap(List::stream).map(MailAddress::address).distinct().toList();
    }
}
