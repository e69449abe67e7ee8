package io.millrace.api;

import java.util.List;

import io.millrace.handler.JobHandler;

/** What a job type has to say of a payload at the door. */
final class PayloadFaults {
    /** Enough to mend a request. */
    private static final int MOST = 20;

    private PayloadFaults() {}

    /**
     * @param handler null if this version does not know the type: then nobody can say
     * @param payload JSON, as it was sent
     */
    static List<Problem.FieldError> of(JobHandler<?> handler, String payload) {
        return handler == null
                ? List.of()
                : handler.check(payload).stream().limit(MOST)
                        .map(fault -> new Problem.FieldError("/payload" + fault.path(), fault.code(), fault.message()))
                        .toList();
    }
}
