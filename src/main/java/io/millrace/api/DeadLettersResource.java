package io.millrace.api;

import java.util.List;

import jakarta.annotation.security.RolesAllowed;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.UriInfo;

import io.millrace.account.Group;
import io.millrace.job.JobState;
import io.smallrye.mutiny.Uni;

/** The jobs that were given up: those in the state FAILED, whatever Redis knows of them. */
@Path("/v1/dead-letters")
@Produces(MediaType.APPLICATION_JSON)
public class DeadLettersResource {
    private final JobsResource jobs;

    DeadLettersResource(JobsResource jobs) {
        this.jobs = jobs;
    }

    /** Newest first; replay one with {@code POST /v1/jobs/{id}/retry}. */
    @GET
    @RolesAllowed({Group.PRODUCER, Group.VIEWER, Group.OPERATOR, Group.ADMIN})
    public Uni<JobsResource.Page> list(@QueryParam("queue") String queue, @QueryParam("type") String type,
            @QueryParam("tag") String tag, @QueryParam("createdAfter") String createdAfter, @QueryParam("limit") String limit,
            @QueryParam("cursor") String cursor, @Context UriInfo uri) {
        QueryParameters.refuseUnknown(uri, List.of("queue", "type", "tag", "createdAfter", "limit", "cursor"));
        return jobs.page(JobState.FAILED, queue, type, tag, createdAfter, limit, cursor);
    }
}
