package io.millrace.egress;

/** The address is one we do not call: the same call is refused next time too. The message says what to change. */
public class EgressRefusedException extends RuntimeException {

    public EgressRefusedException(String message) {
        super(message, null, false, false);
    }
}
