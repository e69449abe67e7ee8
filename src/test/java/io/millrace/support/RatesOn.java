package io.millrace.support;

import java.util.Map;

import io.quarkus.test.common.QuarkusTestResourceLifecycleManager;

/** Beside {@link QuarkusServers}: everybody's tenant is limited, so low that a test gets there. */
public final class RatesOn implements QuarkusTestResourceLifecycleManager {

    /** So few a second that a test sees them come in one by one. */
    public static final int PER_SECOND = 2;
    public static final int JOBS_BURST = 40;
    public static final int REQUESTS_BURST = 60;

    @Override
    public int order() {
        return 1;
    }

    @Override
    public Map<String, String> start() {
        return Map.of("millrace.rate.jobs", String.valueOf(PER_SECOND), "millrace.rate.jobs-burst", String.valueOf(JOBS_BURST),
                "millrace.rate.requests", String.valueOf(PER_SECOND), "millrace.rate.requests-burst",
                String.valueOf(REQUESTS_BURST), "millrace.rate.patience", "1s", "millrace.rate.tenants.other.jobs", "0");
    }

    @Override
    public void stop() {}
}
