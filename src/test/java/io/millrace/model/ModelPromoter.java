package io.millrace.model;

import static io.millrace.model.Network.Server.REDIS;

/** Moves due jobs from the delayed set to the streams: what {@code Promoter} does. */
final class ModelPromoter extends ModelProcess {

    ModelPromoter(World world, String name) {
        super(world, name, Fault.OTHER_CRASH);
    }

    @Override
    void start() {
        after(world.simulation().between(1, Timing.PROMOTE_EVERY_MS), this::promote);
    }

    private void promote() {
        ask(REDIS, Timing.COMMAND_MS, () -> world.redis().promoteDue(Timing.PER_STEP), promotion -> {
            if (promotion.moved() == Timing.PER_STEP) {
                promote();
            } else {
                boolean isSoon = promotion.nextMs() >= 0 && promotion.nextMs() <= Timing.PROMOTE_EVERY_MS;
                after((isSoon ? promotion.nextMs() : Timing.PROMOTE_EVERY_MS) + 1, this::promote);
            }
        }, () -> after(Timing.PROMOTE_EVERY_MS, this::promote));
    }
}
