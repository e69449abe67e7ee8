package io.millrace.model;

/** One run that is over, and what to say of it. */
record ModelRun(long seed, World world) {

    static ModelRun of(long seed, Conditions conditions) {
        World world = new World(seed, conditions);
        world.run();
        return new ModelRun(seed, world);
    }

    boolean isClean() {
        return world.invariants().violations().isEmpty();
    }

    /** @return what broke, what happened to the first job it happened to, and how to see it again */
    String report() {
        StringBuilder text = new StringBuilder("seed " + seed + " under " + world.conditions() + "\n");
        world.invariants().violations().forEach(violation -> text.append("  ").append(violation.invariant()).append(": job ")
                .append(violation.job()).append(": ").append(violation.what()).append('\n'));
        world.invariants().violations().stream().filter(violation -> violation.job() != null).findFirst()
                .ifPresent(violation -> text.append("what happened to job ").append(violation.job()).append(":\n")
                        .append(world.trace().of(violation.job())));
        boolean isOfTheProtocol = world.conditions().equals(world.conditions().mutant(Mutant.NONE).repaired());
        return text.append("to see it again: ./mvnw test -Dtest=")
                .append(isOfTheProtocol ? "ProtocolModelTest -Dmodel.seed=" + seed : "MutantTest").append('\n').toString();
    }
}
