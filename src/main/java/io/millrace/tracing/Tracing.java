package io.millrace.tracing;

import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.TimeUnit;

import jakarta.annotation.PreDestroy;
import jakarta.inject.Singleton;

import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.logging.Logger;

import io.millrace.job.TraceParent;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanBuilder;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.TraceFlags;
import io.opentelemetry.api.trace.TraceState;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.TextMapGetter;
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporter;
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporterBuilder;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.export.BatchSpanProcessor;
import io.opentelemetry.sdk.trace.samplers.Sampler;
import io.quarkus.runtime.annotations.RegisterForReflection;

/**
 * OpenTelemetry, if spans are to go anywhere; else there is no SDK: no thread, no queue, no span. Where a span belongs is always
 * said, never taken from a thread: here a thread serves whatever comes next.
 */
@Singleton
@RegisterForReflection(classNames = Tracing.SENDER)
public class Tracing {
    /** What sends to the collector; found by name. */
    static final String SENDER = "io.opentelemetry.exporter.sender.jdk.internal.JdkHttpSenderProvider";

    private static final Logger LOG = Logger.getLogger(Tracing.class);
    private static final String PATH = "/v1/traces";
    /** Most spans in one request to the collector. */
    private static final int BATCH = 512;
    /** At a stop, for the last spans. */
    private static final Duration LAST_SPANS = Duration.ofSeconds(3);

    private final SpanIds ids = new SpanIds();
    private final SdkTracerProvider provider;
    private final Tracer tracer;

    Tracing(TracingConfig config, @ConfigProperty(name = "otel.sdk.disabled", defaultValue = "false") boolean isDisabled) {
        this.provider = isDisabled ? null : config.endpoint().map(endpoint -> provider(endpoint, config)).orElse(null);
        this.tracer = provider == null ? null : provider.get("io.millrace");
    }

    private SdkTracerProvider provider(String endpoint, TracingConfig config) {
        OtlpHttpSpanExporterBuilder exporter = OtlpHttpSpanExporter.builder()
                .setEndpoint(endpoint.replaceFirst("/+$", "") + PATH)
                .setTimeout(config.timeout()).setConnectTimeout(config.timeout()).setCompression("gzip");
        config.headers().ifPresent(headers -> CollectorHeaders.parse(headers).forEach(exporter::addHeader));
        LOG.infof("traces go to %s, of those that begin here a share of %s", endpoint, config.ratio());
        return SdkTracerProvider.builder().setIdGenerator(ids)
                .setSampler(Sampler.parentBased(Sampler.traceIdRatioBased(config.ratio())))
                .setResource(Resource.getDefault().merge(Resource.create(Attributes.builder()
                        .put("service.name", config.service())
                        .put("service.instance.id", UUID.randomUUID().toString()).build())))
                .addSpanProcessor(BatchSpanProcessor.builder(exporter.build()).setMaxQueueSize(config.queue())
                        .setMaxExportBatchSize(Math.min(BATCH, config.queue())).setScheduleDelay(config.every())
                        .setExporterTimeout(config.timeout()).build())
                .build();
    }

    /** @return false if nothing is traced: then nothing else here may be called */
    public boolean isOn() {
        return tracer != null;
    }

    /**
     * Starts the span of a request.
     *
     * @param carrier of the headers, among which {@code traceparent} and {@code tracestate} may be
     */
    public <C> Span startRequest(String name, C carrier, TextMapGetter<C> headers) {
        Context caller = W3CTraceContextPropagator.getInstance().extract(Context.root(), carrier, headers);
        return tracer.spanBuilder(name).setSpanKind(SpanKind.SERVER).setParent(caller).startSpan();
    }

    /** @return what to start a span below the given one with; {@link #start} starts it */
    public SpanBuilder below(TraceParent parent, String name) {
        return tracer.spanBuilder(name).setParent(Context.root().with(Span.wrap(context(parent))));
    }

    /** Starts a span with an id that others know already. */
    public Span start(SpanBuilder builder, String spanId) {
        return ids.with(spanId, builder::startSpan);
    }

    public static SpanContext context(TraceParent span) {
        return SpanContext.createFromRemoteParent(span.traceId(), span.spanId(), TraceFlags.getSampled(),
                TraceState.getDefault());
    }

    /** @return where what follows from the span belongs; null if nobody records it */
    public static TraceParent parent(Span span) {
        SpanContext context = span.getSpanContext();
        return context.isSampled() ? new TraceParent(context.getTraceId(), context.getSpanId()) : null;
    }

    /** Called when all jobs have ended here, or were handed back. */
    @PreDestroy
    void close() {
        if (provider != null && !provider.shutdown().join(LAST_SPANS.toMillis(), TimeUnit.MILLISECONDS).isSuccess()) {
            LOG.warnf("the last spans could not be sent within %s", LAST_SPANS);
        }
    }
}
